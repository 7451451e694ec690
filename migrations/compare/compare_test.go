package compare

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// page makes an answer of a body, with headers given as "Name: value".
func page(status int, body string, headers ...string) *Answer {
	h := http.Header{}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	return &Answer{Status: status, Header: h, Body: []byte(body)}
}

func jsonPage(body string) *Answer { return page(200, body, "Content-Type: application/json") }

// say writes a result in lines of "path instance kind class→class agree".
func say(r Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", r.Outcome)
	for _, d := range r.Differences {
		where := d.Path
		if d.Instance != "" {
			where = d.Instance
		}
		fmt.Fprintf(&b, "%s %s %s→%s %s", where, d.Kind, d.Control.Class, d.Candidate.Class, d.Agree)
		if d.Count > 1 {
			fmt.Fprintf(&b, " ×%d", d.Count)
		}
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func rulesOf(t testing.TB, rules ...Rule) *Rules {
	t.Helper()
	r, err := CompileRules(Definition{Rules: rules}, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestJSONIsComparedByWhatItMeans(t *testing.T) {
	for _, c := range []struct{ name, a, b, want string }{
		{"white space", `{"a":1}`, "{ \"a\" :\n1}", "match"},
		{"member order", `{"a":1,"b":[{"c":2,"d":3}]}`, `{"b":[{"d":3,"c":2}],"a":1}`, "match"},
		{"escapes", `{"a":"é/\u00e9"}`, `{"\u0061":"\u00e9\/é"}`, "match"},
		{"ways to write a number", `[100,1e2,1.0,-0,0.10]`, `[1e2,100.00,1,0,1e-1]`, "match"},
		{"an integer above 2^53", `{"id":9007199254740993}`, `{"id":9007199254740992}`, "mismatch\n$.id value integer→integer class"},
		{"a missing member", `{"a":1,"b":2,"c":3}`, `{"a":1,"c":3}`, "mismatch\n$.b missing integer→absent nothing"},
		{"an extra member", `{"a":1}`, `{"z":0,"a":1}`, "mismatch\n$.z extra absent→zero nothing"},
		{"null for absent", `{"a":1}`, `{"a":1,"b":null}`, "mismatch\n$.b extra absent→null nothing"},
		{"null for a value", `{"a":1}`, `{"a":null}`, "mismatch\n$.a null integer→null presence"},
		{"a number as a string", `{"a":1}`, `{"a":"1"}`, "mismatch\n$.a type integer→digits presence"},
		{"a truth", `{"a":true}`, `{"a":false}`, "mismatch\n$.a value true→false type"},
		{"another order", `{"a":[1,2,3]}`, `{"a":[3,1,2]}`, "mismatch\n$.a order array→array normalised"},
		{"matched by hash", `{"a":[{"x":1},{"x":2},{"x":3}]}`, `{"a":[{"x":1},{"x":3}]}`, "mismatch\n$.a[1] missing object→absent nothing"},
		{"matched by key", `[{"id":7,"v":1},{"id":8,"v":2}]`, `[{"id":8,"v":5},{"id":7,"v":1}]`, "mismatch\n$ order array→array normalised\n$[1].v value integer→integer class"},
		{"matched by index", `[{"v":1},{"v":2}]`, `[{"v":1},{"v":5}]`, "mismatch\n$[1].v value integer→integer class"},
		{"instances of one template", `[{"v":1},{"v":2}]`, `[{"v":3},{"v":4}]`, "mismatch\n$[0].v value integer→integer class ×2"},
		{"a key twice", `{"a":1,"a":2}`, `{"a":1}`, "mismatch\n$ duplicate object→object normalised"},
		{"a key twice, in another order", `{"a":1,"a":2}`, `{"a":2,"a":1}`, "mismatch\n$.a value integer→integer class ×2"},
		{"invalid UTF-8", `{"a":"é"}`, "{\"a\":\"\xe9\"}", "mismatch\n$.a utf-8 word→word class"},
		{"keys that are ids", `{"u":{"9f8e7d6c-1111-2222-3333-444455556666":{"n":1}}}`, `{"u":{"9f8e7d6c-1111-2222-3333-444455556666":{"n":2}}}`, "mismatch\n$.u.*.n value integer→integer class"},
		{"an emptied uuid", `{"a":"9f8e7d6c-1111-2222-3333-444455556666"}`, `{"a":""}`, "mismatch\n$.a value uuid→empty type"},
		{"another uuid, nothing known", `{"a":"9f8e7d6c-1111-2222-3333-444455556666"}`, `{"a":"0f8e7d6c-1111-2222-3333-444455556666"}`, "match\n$.a value uuid→uuid class"},
		{"times within the skew", `{"a":"2026-01-01T00:00:00Z"}`, `{"a":"2026-01-01T00:00:30Z"}`, "match\n$.a value time→time class"},
		{"times beyond it", `{"a":"2026-01-01T00:00:00Z"}`, `{"a":"2026-01-01T09:00:00Z"}`, "mismatch\n$.a value time→time type"},
		{"broken on one side", `{"a":1}`, `{"a":1`, "mismatch\n$ syntax binary→binary presence"},
		{"broken on both", `{"a":1`, `{"a":2`, "mismatch\ntext[1] value text→text normalised"},
		{"another format", `{"a":1}`, `<!doctype html><p>Sorry`, "mismatch\n$ format text→text presence"},
		{"nothing", `{"a":1}`, ``, "mismatch\n$ format text→empty presence"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := say(Compare(jsonPage(c.a), jsonPage(c.b), nil, nil))
			if got != c.want {
				t.Errorf("compare %s with %s:\n%s\nwant:\n%s", c.a, c.b, got, c.want)
			}
		})
	}
}
