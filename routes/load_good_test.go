package routes

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

func goodEnv(name string) (string, bool) {
	value, ok := map[string]string{"FICUS_SECRET": "0123456789abcdef", "LEGACY_HOST": "legacy.internal"}[name]
	return value, ok
}

func mustLoad(t *testing.T, path string, over ...Override) *Table {
	t.Helper()
	table, err := load(path, goodEnv, over...)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// config writes a main file and loads it.
func config(t *testing.T, text string) *Table {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ficus.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return mustLoad(t, path)
}

func TestGoodFilesLoad(t *testing.T) {
	files, _ := filepath.Glob("testdata/good/*.yaml")
	more, _ := filepath.Glob("testdata/good/*/ficus.yaml")
	for _, file := range append(files, more...) {
		if s := mustLoad(t, file).Summary(); !strings.Contains(s, "/*") {
			t.Errorf("%s: the summary lacks the catch-all:\n%s", file, s)
		}
	}
}

func TestCanonicalConfigIsWhatTheDesignSays(t *testing.T) {
	table := mustLoad(t, "testdata/good/canonical.yaml")
	one := "1"
	want := &migrations.Plan{
		ID: "orders", Flag: "orders", From: "monolith", To: "orders",
		Key:  []migrations.KeySource{{Kind: migrations.KeyCookie, Name: "uid"}, {Kind: migrations.KeyAnonymous}},
		Data: migrations.DataShared, Writes: migrations.WritesFollow, Owner: "team-orders",
		Cohorts: []migrations.Cohort{{Name: "staff", When: []migrations.Condition{{Header: "X-Staff", Is: &one}}, Stage: migrations.Live}},
		Steps: []migrations.Step{
			{Stage: migrations.Shadow, Share: 100_000, Observations: 1000, Hold: 30 * time.Minute},
			{Stage: migrations.Live, Share: 1_000, Requests: 300, Hold: 10 * time.Minute},
			{Stage: migrations.Live, Share: 10_000, Hold: 10 * time.Minute},
			{Stage: migrations.Live, Share: 50_000, Hold: 30 * time.Minute, Approve: true},
			{Stage: migrations.Complete, Share: 100_000},
		},
		Guard: migrations.Guard{Objective: 0.9995, Saturation: 0.9, FalseAlarm: 0.001, Latency: &migrations.LatencyGuard{Quantile: 0.99, WorseBy: 0.2}, Mismatches: 0.001,
			AtMost: 0.001, Outcomes: true, Findings: migrations.FindingsCritical, Blip: 10 * time.Second, HarmBeyond: true},
		Compare: migrations.Compare{Sample: 1, Timeout: 10 * time.Second, Skew: time.Minute, Rules: []compare.Rule{
			{Do: compare.Ignore, Path: "$.generatedAt"}, {Do: compare.Ignore, Path: "$.items[*].etag"}, {Do: compare.Unordered, Path: "$.tags"},
		}},
	}
	if diff := cmp.Diff(want, table.Plans["orders"]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	var got []string
	for _, r := range table.Routes {
		got = append(got, fmt.Sprintf("%d %s %s", r.At.Line, r.ID, r.goal()))
	}
	wantRoutes := []string{"39 /api/orders/* by migration orders", "40 /assets/orders/* to monolith, else orders", "41 /* to monolith"}
	if diff := cmp.Diff(wantRoutes, got); diff != "" {
		t.Errorf("routes (-want +got)\n%s", diff)
	}
	if ts := table.Upstreams["orders"].Timeouts; ts.Connect != time.Second || ts.Response != 5*time.Second || ts.Idle != defaultIdle.std() {
		t.Errorf("timeouts %+v", ts)
	}
	if len(table.Warnings) != 1 || !strings.Contains(table.Warnings[0].Error(), "trusted_proxies") {
		t.Errorf("warnings: %v; want one, of the cohort without a trusted proxy (law 11)", table.Warnings)
	}
}

func TestShortFormsMeanTheLongOnes(t *testing.T) {
	table := mustLoad(t, "testdata/good/short.yaml")
	want := map[string][]Endpoint{
		"monolith": {{Scheme: "http", Host: "localhost:80", Weight: 1}},
		"orders":   {{Scheme: "http", Host: "10.0.0.5:3001", Weight: 1}, {Scheme: "https", Host: "[2001:db8::1]:443", Weight: 1}},
		"reports":  {{Scheme: "http", Host: "localhost", Socket: "/run/reports.sock", Weight: 1}},
	}
	for name, endpoints := range want {
		if diff := cmp.Diff(endpoints, table.Upstreams[name].Endpoints); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	if h := table.Upstreams["reports"].Health; h == nil || h.Path != "/up" || h.Every != 5*time.Second {
		t.Errorf("health %+v", h)
	}
	if p := table.Plans["orders"]; p.Guard.Mismatches != 0.01 || p.Data != migrations.DataMoved || p.KeyString() != "ip" {
		t.Errorf("plan %+v", p)
	}
	if table.Trusted[0] != netip.MustParsePrefix("127.0.0.1/32") || table.Server.Telemetry.OTLP == "" {
		t.Errorf("trusted %v, telemetry %+v", table.Trusted, table.Server.Telemetry)
	}
}

// The file with every key sets each field of the table to something.
func TestEveryKeyArrives(t *testing.T) {
	table := mustLoad(t, "testdata/good/every_key.yaml")
	for _, v := range []any{
		table.Server, table.Limits, *table.Upstreams["monolith"].Health, table.Upstreams["monolith"].Timeouts,
		table.Server.Admin, *table.Server.Admin.OIDC, table.Server.Telemetry, table.Server.Shutdown, *table.Plans["orders"].Synced, table.Routes[0].Match,
		table.Plans["orders"].Guard, table.Plans["orders"].Rollback,
	} {
		rv := reflect.ValueOf(v)
		for i := range rv.NumField() {
			if name := rv.Type().Field(i).Name; rv.Field(i).IsZero() && name != "Redis" && name != "ClientSecretFile" && name != "HarmBeyond" { // what excludes another key
				t.Errorf("%T.%s is zero", v, rv.Type().Field(i).Name)
			}
		}
	}
	if f := table.Server.Flags; f.Interval != 10*time.Second || f.Timeout != 100*time.Millisecond || len(f.Attributes) != 2 || f.Attributes[1].From.Name != "X-Email" {
		t.Errorf("flags %+v", f)
	}
	if table.Changes != ByGit {
		t.Errorf("changes by %s", table.Changes)
	}
	if o := table.Server.OFREP; o.Listen == nil || o.Token == "" || len(o.Origins) != 1 {
		t.Errorf("ofrep %+v", o)
	}
	if got := table.Server.Listen[1].TLS[0].Cert; got != "testdata/good/tls/shop.pem" {
		t.Errorf("certificate %s is not relative to the file", got)
	}
	if u := table.Upstreams["orders"]; u.Host != HostLiteral || u.HostName != "orders.example.com" || u.TLS.Cert == "" || u.Protocol != HTTP2 {
		t.Errorf("upstream %+v", u)
	}
	if p := table.Plans["orders"]; p.AtOnce != 2 || len(p.Freezes) != 2 || len(p.Cells) != 2 || p.Cells[1].Name != "us" || len(p.Cells[1].When) != 1 {
		t.Errorf("plan %+v", p)
	}
	if !table.Plans["catalogue"].Retired || table.Plans["carts"].RenamedFrom != "baskets" {
		t.Error("retired and renamed migrations are not in the plans")
	}
	for _, r := range table.Routes {
		if r.ID == "new-orders" {
			if diff := cmp.Diff([]Field{{"X-Tag", "a"}, {"X-Tag", "b"}}, r.Request.Add); diff != "" {
				t.Error(diff)
			}
			if p := r.Match.Headers[0]; p.Name != "X-Client" || !p.Pattern.MatchString("ios-1") || p.Pattern.MatchString("not ios-1") {
				t.Errorf("the pattern of %+v does not hold for whole values only", p)
			}
		}
	}
}

func TestAnchorsAndMergeKeys(t *testing.T) {
	table := mustLoad(t, "testdata/good/anchors.yaml")
	m, r := table.Upstreams["monolith"], table.Upstreams["reports"]
	if m.MaxIdle != 8 || r.MaxIdle != 2 || m.Timeouts.Response != time.Minute || r.Timeouts.Response != time.Minute {
		t.Errorf("monolith %+v, reports %+v", m, r)
	}
}

func TestEnvironmentIsReadAfterParsing(t *testing.T) {
	table := mustLoad(t, "testdata/good/environment.yaml")
	if got := table.Upstreams["monolith"].Endpoints[0].Host; got != "legacy.internal:3000" {
		t.Errorf("host %s", got)
	}
	r := table.Routes[0]
	if table.Server.Listen[0].Address != ":8080" || r.Rewrite.Replace != "/new/${1}" || r.Request.Set[0].Value != "${5}" {
		t.Errorf("%+v %+v %+v", table.Server.Listen, r.Rewrite, r.Request)
	}
	// A value is a value, whatever it looks like: it cannot add keys.
	table, err := load("testdata/good/environment.yaml", func(name string) (string, bool) {
		return map[string]string{"FICUS_SECRET": "x\nlisten: :1 # and more"}[name], name == "FICUS_SECRET"
	})
	if err != nil || table.Server.Secret != "x\nlisten: :1 # and more" || table.Server.Listen[0].Address != ":8080" {
		t.Errorf("%+v, %v", table, err)
	}
}

func TestIncludedFilesAreConfined(t *testing.T) {
	table := mustLoad(t, "testdata/good/included/ficus.yaml")
	if len(table.Files) != 3 || len(table.Routes) != 6 || table.Plans["orders"].Owner != "team-orders" {
		t.Errorf("files %v, %d routes, plan %+v", table.Files, len(table.Routes), table.Plans["orders"])
	}
	c := &IncludeConfig{Paths: []string{"/api/orders/*", "/exact"}}
	for path, want := range map[string]bool{
		"/api/orders": true, "/api/orders/": true, "/api/orders/{id}": true, "/api/orders/*": true, "/exact": true,
		"/api/orders*": false, "/api/ordersx": false, "/api/*": false, "/exact/more": false, "/exac{t}": false, "/*": false,
		"/api/orders/../carts/*": false, "/api/orders/..": false, "/api/orders/%2e%2e/carts": false,
	} {
		if c.allowsPath(path) != want {
			t.Errorf("allowsPath(%q) is not %v", path, want)
		}
	}
}

func TestDefaultNeedsNoFile(t *testing.T) {
	table, err := Default("http://localhost:3000", Override{Listen: ":0", Admin: "none"})
	if err != nil {
		t.Fatal(err)
	}
	if a := table.Server.Admin; a.Address != "" || a.Socket != "" {
		t.Errorf("admin %+v", a)
	}
	if len(table.Routes) != 1 || table.Routes[0].Upstream != "monolith" || table.Hash != "" {
		t.Errorf("%+v", table)
	}
	_, err = Default("localhost:3000", Override{Listen: "8080", Admin: "127.0.0.1"})
	want := `--listen: "8080" is not an address to listen on; write :8080
--admin: "127.0.0.1" is not an address to listen on; write host:port, :port for all interfaces, or unix:/path
--legacy: "localhost:3000" has no scheme; write the scheme too, as http://host:port`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestTheCommandLineGoesBeforeTheFile(t *testing.T) {
	table := mustLoad(t, "testdata/good/every_key.yaml", Override{Listen: "127.0.0.1:1", Admin: "127.0.0.1:2", State: "file:x/y"})
	s := table.Server
	if len(s.Listen) != 1 || s.Listen[0].Address != "127.0.0.1:1" || s.Admin.Address != "127.0.0.1:2" || s.State != "file:x/y" {
		t.Errorf("%+v", s)
	}
}

func TestHashFollowsTheContent(t *testing.T) {
	text := "upstreams: {monolith: http://127.0.0.1:1}\nroutes: [{path: /*, upstream: monolith}]\n"
	a, b, c := config(t, text), config(t, text), config(t, text+"# more\n")
	if a.Hash != b.Hash || a.Hash == c.Hash || len(a.Hash) != 16 {
		t.Errorf("%s %s %s", a.Hash, b.Hash, c.Hash)
	}
}

func TestRouteIDsAreStableAndTellRoutesApart(t *testing.T) {
	head := "upstreams: {monolith: http://127.0.0.1:1}\nroutes:\n  - {path: /*, upstream: monolith}\n"
	lines := []string{
		"  - {path: /a, upstream: monolith}\n",
		"  - {path: /a, methods: [POST, GET], upstream: monolith}\n",
		"  - {path: /a, hosts: shop.example.com, upstream: monolith}\n",
		"  - {path: /a, headers: {X-A: \"1\"}, upstream: monolith}\n",
		"  - {path: /a, headers: {X-A: \"2\"}, upstream: monolith}\n",
		"  - {path: /a, query: {x: \"1\"}, headers: {X-A: \"1\"}, upstream: monolith}\n",
	}
	forward := config(t, head+strings.Join(lines, ""))
	for i, j := 0, len(lines)-1; i < j; i, j = i+1, j-1 {
		lines[i], lines[j] = lines[j], lines[i]
	}
	backward := config(t, head+strings.Join(lines, ""))
	seen := map[string]bool{}
	for _, r := range forward.Routes {
		if seen[r.ID] {
			t.Errorf("%s is the id of two routes", r.ID)
		}
		seen[r.ID] = true
		if !slices.ContainsFunc(backward.Routes, func(o *Route) bool { return o.ID == r.ID && reflect.DeepEqual(o.Match, r.Match) }) {
			t.Errorf("%s has another id in another order", r.ID)
		}
	}
	if !seen["GET,POST /a"] || !seen["shop.example.com/a"] {
		t.Errorf("%v", seen)
	}
}

func TestProblemsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("upstreams: {monolith: http://127.0.0.1:1}\nroutes:\n  - {path: /*, upstream: monolith}\n")
	for i := range 500 {
		fmt.Fprintf(&b, "  - {path: /%d, upstream: monolit}\n", i)
	}
	path := filepath.Join(t.TempDir(), "ficus.yaml")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	if ps, ok := err.(Problems); !ok || len(ps) != maxProblems+1 || !strings.Contains(ps[maxProblems].Text, "400 more") {
		t.Errorf("%d problems", len(ps))
	}
}

func TestFilesAreBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ficus.yaml")
	if err := os.WriteFile(path, make([]byte, maxFile+1), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "larger than 16 MiB") {
		t.Error(err)
	}
	if _, err := Load(path + "x"); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
}

// Nine lines of aliases stand for a billion items.
func TestAliasesOfAliasesAreRefused(t *testing.T) {
	text := "x0: &a0 [a, a, a, a, a, a, a, a, a]\n"
	for i := range 8 {
		text += fmt.Sprintf("x%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), ", "))
	}
	path := filepath.Join(t.TempDir(), "ficus.yaml")
	if err := os.WriteFile(path, []byte(text+"routes: *a8\nlisten: *a8\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, err := Load(path); err == nil || time.Since(start) > 5*time.Second {
		t.Errorf("%v after %s", err, time.Since(start))
	}
}

func TestTenThousandRoutesLoadInASecond(t *testing.T) {
	var b strings.Builder
	b.WriteString("upstreams: {monolith: http://127.0.0.1:1}\nroutes:\n  - {path: /*, upstream: monolith}\n")
	for i := range 10_000 {
		fmt.Fprintf(&b, "  - {path: \"/api/%d/orders/{id}\", methods: [GET], upstream: monolith}\n", i)
	}
	path := filepath.Join(t.TempDir(), "ficus.yaml")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	table, err := Load(path)
	if err != nil || len(table.Routes) != 10_001 {
		t.Fatal(err)
	}
	took := time.Since(start)
	t.Logf("took %s", took)
	if took > time.Second && !raceEnabled {
		t.Errorf("took %s", took)
	}
}
