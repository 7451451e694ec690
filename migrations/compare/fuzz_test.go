package compare

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// canJudge says whether encoding/json can be the judge of a body: it replaces
// what is not UTF-8, lets the last of two keys win and reads every number as
// a float, all of which this package tells apart.
func canJudge(body []byte) bool {
	if !json.Valid(body) || !utf8.Valid(body) || bytes.Contains(bytes.ToLower(body), []byte(`\ud`)) || bytes.Contains(body, []byte("\ufffd")) {
		return false
	}
	var t table
	t.reset(body, defaultRules)
	if t.readJSON(false) != nil {
		return false // deeper than the limit
	}
	for i := range t.nodes {
		n := &t.nodes[i]
		if n.flag&flagDouble != 0 || n.kind == nodeNumber && n.val.len > 15 {
			return false
		}
	}
	return true
}

func FuzzCompareJSON(f *testing.F) {
	for _, s := range [][2]string{
		{`{"a":1.0,"b":[1,2]}`, `{"b":[1,2],"a":1}`}, {`[1,2]`, `[2,1]`}, {`{"a":{"a":1},"b":null}`, `{"a":{"a":1}}`},
		{`"\u00e9"`, `"é"`}, {`1e400`, `1e401`}, {`{"a":1,"a":2}`, `{"a":2}`}, {`[[[[]]]]`, `[[[]]]`}, {`-0`, `0`}, {"\"\xff\"", `"a"`},
		{`[{"id":1,"v":2},{"id":2}]`, `[{"id":2},{"id":1,"v":3}]`}, {`{"a":1`, `{`},
	} {
		f.Add([]byte(s[0]), []byte(s[1]))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		for _, body := range [][]byte{a, b} {
			var x table
			x.reset(body, defaultRules)
			if err := x.readJSON(false); (err == nil) != json.Valid(body) && !strings.Contains(errorText(err), "limits") {
				t.Fatalf("read %q: %v, but valid is %v", body, err, json.Valid(body))
			}
		}
		r := Compare(jsonPage(string(a)), jsonPage(string(b)), nil, nil)
		back := Compare(jsonPage(string(b)), jsonPage(string(a)), nil, nil)
		if (len(r.Differences) == 0) != (len(back.Differences) == 0) {
			t.Fatalf("%q and %q: %s\nthe other way round: %s", a, b, say(r), say(back))
		}
		if !canJudge(a) || !canJudge(b) {
			return
		}
		var x, y any
		if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
			return // a number beyond a float
		}
		if equal := reflect.DeepEqual(x, y); equal && len(r.Differences) > 0 || !equal && len(r.Differences) == 0 && !underflows(a, b) {
			t.Fatalf("%q and %q: equal is %v, but: %s", a, b, equal, say(r))
		}
	})
}

// underflows says whether a number may have come out as 0 for being small.
func underflows(a, b []byte) bool { return bytes.ContainsAny(a, "eE") || bytes.ContainsAny(b, "eE") }

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// fuzzBodies holds a format to what must hold for any two bodies: an outcome,
// and none but a match with itself.
func fuzzBodies(f *testing.F, contentType, encoding string, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s), []byte(seeds[0]))
	}
	rules, err := CompileRules(Definition{Limits: Limits{Body: 1 << 20}, Hosts: []string{"a.example"}}, defaultTime)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		answer := func(body []byte) *Answer {
			return &Answer{Status: 200, Header: http.Header{"Content-Type": {contentType}, "Content-Encoding": {encoding}}, Body: body}
		}
		if r := Compare(answer(a), answer(b), rules, nil); r.Outcome == "" {
			t.Fatalf("no outcome for %q and %q", a, b)
		}
		// Read although it is the same, as a probe does.
		p := &Profile{tracked: newTracked(), paths: []string{"$.html"}}
		p.tracked.add("$.html", 0)
		if r := Probe(answer(a), answer(bytes.Clone(a)), rules, p); len(r.Differences) > 0 {
			t.Fatalf("%q differs from itself: %s", a, say(r))
		}
	})
}

func FuzzCompareHTML(f *testing.F) {
	fuzzBodies(f, "text/html", "", `<ul><li>a<li>b</ul><a href="//a.example/x">y</a>`, `<p><table><tr><td>1<td>2`, `<script>a<b</script></p></p><br/>`, `<!-- x`, "<a b='")
}

func FuzzCompareXML(f *testing.F) {
	fuzzBodies(f, "text/xml", "", `<a x="1"><b>c</b><b/></a>`, `<?xml version="1.0" encoding="latin1"?><a xmlns:p="u"><p:b/></a>`, `<a>&lt;</a>`, `<a><b></a>`)
}

func FuzzCompareForm(f *testing.F) {
	fuzzBodies(f, "application/x-www-form-urlencoded", "", "a=1&b=2&a=3", "a=%zz", "=&&=", "a;b")
}

func FuzzCompareText(f *testing.F) {
	fuzzBodies(f, "text/plain; charset=utf-16", "", "a\nb\n", "\xff\xfea\x00\n\x00", "", "a\r\nc")
}

func FuzzDecodeGzip(f *testing.F) {
	fuzzBodies(f, "text/plain", "gzip", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x4a\x04\x04\x00\x00\xff\xff\x43\xbe\xb7\xe8\x01\x00\x00\x00", "\x1f\x8b", "")
}

func FuzzDecodeOthers(f *testing.F) {
	fuzzBodies(f, "application/json", "br, zstd, deflate", "\x28\xb5\x2f\xfd\x04\x00\x01\x00\x00", "\x8b\x00\x80\x61\x03", "")
}

func FuzzPattern(f *testing.F) {
	for _, s := range []string{"$.a[*].b", "$..x", "$['a\\'b']", "header.X-*", "cookie.sid.Path", "$[", "text", "status", "$.*.@b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePattern(s)
		if err == nil && p.root == "$" {
			p.matches([]step{{name: []byte("a"), form: byName}, {form: byIndex}})
			newTracked().add(s, 0)
		}
	})
}
