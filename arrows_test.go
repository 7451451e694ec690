package main_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/ficus-gateway/ficus"

// arrows says for each package of this module which others of it may be
// imported; "x/..." stands for x and all below. Everything points one way,
//
//	migrations ← routes ← flags ← gateway ← gateway/app ← main
//	             routes ← legacy ← gateway
//
// and the leaves (filelog, upstream, shadow, telemetry, notify, dashboard) are
// strangers to one another: what one needs of another it declares as an
// interface, and gateway or gateway/app joins them.
var arrows = map[string][]string{
	"": {"gateway/app"},

	"migrations":            {"migrations/evidence", "migrations/compare"}, // its pure children only
	"migrations/evidence":   {},
	"migrations/compare":    {"migrations/condition"},
	"migrations/condition":  {},
	"migrations/filelog":    {"migrations"},
	"migrations/redislog":   {"migrations"},
	"migrations/redistally": {"migrations/evidence"},
	"migrations/logtest":    {"migrations"},
	"migrations/transfer":   {"migrations"},

	"routes":           {"migrations", "migrations/compare"},
	"routes/schemagen": {"routes"},
	"flags":            {"migrations", "routes", "flags/internal/..."},
	"flags/flagd":      {"migrations", "routes", "flags/internal/..."},
	"legacy":           {"migrations", "routes"},

	"flags/internal/murmur3": {},
	"flags/internal/subject": {},
	"flags/outside":          {},

	"gateway":                          {"migrations", "migrations/evidence", "migrations/compare", "migrations/condition", "routes", "flags", "legacy", "gateway/upstream", "gateway/shadow", "gateway/telemetry"},
	"gateway/upstream":                 {"migrations", "routes"},
	"gateway/shadow":                   {"migrations", "migrations/compare", "routes"},
	"gateway/ofrep":                    {},
	"gateway/takeover":                 {},
	"gateway/systemd":                  {},
	"gateway/telemetry":                {"migrations", "routes"},
	"gateway/notify":                   {"migrations", "routes"},
	"gateway/dashboard/access":         {},
	"gateway/dashboard/access/idptest": {},
	"gateway/dashboard/browsertest":    {},
	"gateway/dashboard":                {"gateway/dashboard/access", "migrations", "migrations/evidence", "migrations/compare", "routes", "flags"},
	"gateway/dashboard/web":            {"gateway/dashboard", "gateway/dashboard/access", "migrations", "migrations/evidence", "migrations/compare", "routes"},
	"gateway/dashboard/client":         {"gateway/dashboard", "gateway/dashboard/access", "migrations"},
	"gateway/app":                      {"migrations/...", "routes", "flags", "flags/flagd", "flags/outside", "legacy", "gateway/...", "examples/shop/..."},

	"gateway/app/toll":         {}, // measures the program from outside
	"gateway/app/evidencetest": {}, // holds its guard to account from outside

	"examples/shop/...": {"examples/shop/..."}, // a monolith knows nothing of its gateway
}

// reserved are the imports from outside that one package alone may have: the
// one that wires the process.
var reserved = map[string]string{
	"os/signal":                                       "gateway/app",
	"go.opentelemetry.io/otel/exporters/...":          "gateway/app",
	"go.opentelemetry.io/otel/sdk/resource":           "gateway/app",
	"github.com/prometheus/client_golang/...":         "gateway/app",
	"github.com/redis/go-redis/v9/...":                "gateway/app migrations/redislog migrations/redistally",
	"github.com/coreos/go-oidc/v3/...":                "gateway/dashboard/access",
	"golang.org/x/oauth2/...":                         "gateway/dashboard/access",
	"github.com/alecthomas/kong":                      "gateway/app",
	"github.com/invopop/jsonschema":                   "routes/schemagen",
	"go.opentelemetry.io/contrib/instrumentation/...": "", // 22 µs for each request; docs/adr/0009-own-spans-not-otelhttp.md
}

// pureUses are what parts of the core take of packages that could do more:
// a type, or a generator that its caller seeds.
var pureUses = map[string][]string{
	"migrations/compare": {"net/http", "math/rand/v2"}, // http.Header; a seeded sample of examples
}

// impure are what the pure core has no use for: no files, no network, no chance.
var impure = []string{"os", "os/...", "net", "net/http/...", "math/rand/...", "crypto/rand", "syscall", "log/..."}

// testing is what no binary that ships may carry.
var testOnly = []string{"testing/...", "net/http/httptest", "pgregory.net/rapid", "github.com/google/go-cmp/...", "github.com/invopop/jsonschema"}

// A pkg is what go list says of one package, tests apart.
type pkg struct {
	ImportPath string
	Imports    []string
}

// name returns the path within this module; ok is false for other packages.
func (p pkg) name() (name string, ok bool) { return within(p.ImportPath) }

func within(importPath string) (name string, ok bool) {
	if importPath == module {
		return "", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

// list returns the packages that a pattern names and all that they depend on.
func list(t *testing.T, pattern string) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports", pattern).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// matches reports whether one of the patterns covers an import path.
func matches(importPath string, patterns ...string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		if above, ok := strings.CutSuffix(pattern, "/..."); ok {
			return importPath == above || strings.HasPrefix(importPath, above+"/")
		}
		return importPath == pattern
	})
}

// allowed returns what a package of this module may import of it.
func allowed(name string) (patterns []string, ok bool) {
	if patterns, ok = arrows[name]; ok {
		return patterns, true
	}
	for above := name; above != "."; above = path.Dir(above) {
		if patterns, ok = arrows[above+"/..."]; ok {
			return patterns, true
		}
	}
	return nil, false
}

func TestImportsPointOneWay(t *testing.T) {
	for _, p := range list(t, "./...") {
		name, ours := p.name()
		if !ours {
			continue
		}
		patterns, known := allowed(name)
		if !known {
			t.Errorf("%s is new: say in arrows what it may import", p.ImportPath)
		}
		for _, imported := range p.Imports {
			if to, ours := within(imported); ours && !matches(to, patterns...) {
				t.Errorf("%s imports %s, which is not one of %q", orMain(name), to, patterns)
			}
		}
	}
}

func TestOnlyTheWiringKnowsTheProcess(t *testing.T) {
	for _, p := range list(t, "./...") {
		name, ours := p.name()
		if !ours {
			continue
		}
		for _, imported := range p.Imports {
			for pattern, who := range reserved {
				if matches(imported, pattern) && !slices.Contains(strings.Fields(who), name) {
					t.Errorf("%s imports %s, which only %q may", orMain(name), imported, who)
				}
			}
		}
	}
}

// Law 9: the core has no clock of its own, no files and no network.
func TestPureCoreDoesNoIO(t *testing.T) {
	for _, p := range list(t, "./migrations") {
		name, ours := p.name()
		if !ours {
			continue
		}
		for _, imported := range p.Imports {
			if matches(imported, impure...) && !slices.Contains(pureUses[name], imported) {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
		}
	}
}

func TestBinaryCarriesNoTests(t *testing.T) {
	for _, p := range list(t, ".") {
		if matches(p.ImportPath, testOnly...) {
			t.Errorf("the binary contains %s", p.ImportPath)
		}
	}
}

func orMain(name string) string {
	if name == "" {
		return "main"
	}
	return name
}
