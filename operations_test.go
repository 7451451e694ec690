package main_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/routes"
)

// operations is the page that the tests here hold against the code.
const operations = "docs/guide/operations.md"

// sources returns the Go code below the directories, tests apart.
func sources(t *testing.T, dirs ...string) string {
	t.Helper()
	var all strings.Builder
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && filepath.Ext(path) == ".go" && !strings.HasSuffix(path, "_test.go") {
				all.WriteString(readFile(t, path))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}

// same reports what one list has and the other lacks.
func same(t *testing.T, what string, inCode, inDocs []string) {
	t.Helper()
	if len(inCode) == 0 {
		t.Fatalf("no %s found in the code", what)
	}
	for _, name := range inCode {
		if !slices.Contains(inDocs, name) {
			t.Errorf("%s does not tell of the %s %s", operations, what, name)
		}
	}
	for _, name := range inDocs {
		if !slices.Contains(inCode, name) {
			t.Errorf("%s tells of the %s %s, which the code does not have", operations, what, name)
		}
	}
}

func firsts(re *regexp.Regexp, text string) (list []string) {
	for _, m := range re.FindAllStringSubmatch(text, -1) {
		list = append(list, m[1])
	}
	slices.Sort(list)
	return slices.Compact(list)
}

var (
	metricInCode = regexp.MustCompile(`"(ficus_[a-z_]*[a-z])"`)
	metricInDocs = regexp.MustCompile("`(ficus_[a-z_]+)")
	fieldInCode  = regexp.MustCompile(`l\.(?:text|number|millis)\("([a-z_]+)"|append\(l, ` + "`" + `[{",]*"?([a-z_]+)":`)
	quotedKey    = regexp.MustCompile(`[{,"]"([a-z_]+)":`)
	nameInTable  = regexp.MustCompile("`([a-z_]+)`")
)

func TestOperationsTellsOfEveryMetric(t *testing.T) {
	same(t, "metric",
		firsts(metricInCode, sources(t, "gateway")),
		firsts(metricInDocs, section(t, readFile(t, operations), "## Metrics")))
}

func TestOperationsTellsOfEveryAccessLogField(t *testing.T) {
	code := sources(t, "gateway/telemetry")
	_, code, _ = strings.Cut(code, "func (l line) appendRequest")
	code, _, _ = strings.Cut(code, "func (l line) key(")
	var inCode []string
	for _, m := range fieldInCode.FindAllStringSubmatch(code, -1) {
		inCode = append(inCode, m[1]+m[2])
	}
	inCode = append(inCode, firsts(quotedKey, code)...) // those written whole
	inCode = slices.DeleteFunc(inCode, func(s string) bool { return s == "" })
	slices.Sort(inCode)

	var inDocs []string
	for line := range strings.Lines(section(t, readFile(t, operations), "## The access log")) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			inDocs = append(inDocs, firsts(nameInTable, cells[1])...)
		}
	}
	same(t, "access log field", slices.Compact(inCode), inDocs)
}

func TestOperationsTellsTheDefaults(t *testing.T) {
	table, err := routes.Default("http://127.0.0.1:3000")
	if err != nil {
		t.Fatal(err)
	}
	u, l, s := table.Upstreams["monolith"], table.Limits, table.Server.Shutdown
	want := map[string]any{
		"limits.header_bytes": l.HeaderBytes, "limits.body_bytes": int(l.BodyBytes), "limits.header_time": l.HeaderTime,
		"limits.idle_time": l.IdleTime, "limits.body_silence": l.BodySilence,
		"shutdown.delay": s.Delay, "shutdown.timeout": s.Timeout,
		"timeout.connect": u.Timeouts.Connect, "timeout.response": u.Timeouts.Response, "timeout.idle": u.Timeouts.Idle,
		"timeout.request": u.Timeouts.Request, "timeout.keep": u.Timeouts.Keep, "max_idle": u.MaxIdle, "max_conns": u.MaxConns,
	}
	row := regexp.MustCompile("(?m)^\\| `([a-z_.]+)` \\| ([0-9A-Za-z]+) \\|")
	told := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(section(t, readFile(t, operations), "## Limits and timeouts"), -1) {
		told[m[1]] = m[2]
	}
	for key, value := range want {
		got, err := read(told[key], value)
		if err != nil || got != value {
			t.Errorf("%s says %q of %s, which is %v (%v)", operations, told[key], key, value, err)
		}
	}
}

// read reads a value of the docs as one of the kind of like.
func read(text string, like any) (any, error) {
	if _, ok := like.(time.Duration); ok {
		if text == "0" {
			return time.Duration(0), nil
		}
		return time.ParseDuration(text)
	}
	factor := 1
	if number, ok := strings.CutSuffix(text, "KiB"); ok {
		text, factor = number, 1<<10
	}
	var n int
	if _, err := fmt.Sscanf(text, "%d", &n); err != nil {
		return nil, errors.New("not a number")
	}
	return n * factor, nil
}

// Whoever searches for a message finds it only if it is still said.
func TestTroubleshootingQuotesMessagesThatExist(t *testing.T) {
	code := sources(t, "migrations", "routes", "flags", "gateway", "legacy")
	rows := 0
	for line := range strings.Lines(section(t, readFile(t, operations), "## Troubleshooting")) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 || !strings.HasPrefix(strings.TrimSpace(cells[1]), "`") {
			continue
		}
		rows++
		message := strings.Trim(cells[1], " `")
		for _, fragment := range strings.Split(message, "…") {
			if fragment = strings.TrimSpace(fragment); fragment != "" && !strings.Contains(code, fragment) {
				t.Errorf("nothing says %q (of %q)", fragment, message)
			}
		}
	}
	if rows < 10 {
		t.Errorf("%d messages found only", rows)
	}
}
