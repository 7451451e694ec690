package compare

import (
	"testing"
)

func TestEqualBodiesAreNotRead(t *testing.T) {
	a, b := jsonPage(`{"a":1}`), jsonPage(`{"a":1}`)
	a.Body, b.Body = []byte("{ not json"), []byte("{ not json")
	if got := say(Compare(a, b, nil, nil)); got != "match" {
		t.Error(got)
	}
	a.Hash, b.Hash = [32]byte{1}, [32]byte{1}
	a.Length, b.Length = 1<<40, 1<<40
	a.Truncated, b.Truncated = true, true
	if got := say(Compare(a, b, nil, nil)); got != "match" {
		t.Errorf("beyond the capture, by hash: %s", got)
	}
	b.Hash[1] = 1
	if got := say(Compare(a, b, nil, nil)); got != "truncated" {
		t.Errorf("beyond the capture, different: %s", got)
	}
	b.Status = 500
	if got := Compare(a, b, nil, nil); got.Outcome != Mismatch {
		t.Errorf("beyond the capture, another status: %s", got.Outcome)
	}
}

func TestContentCodingIsNoDifference(t *testing.T) {
	plain := page(200, `{"a":1}`, "Content-Type: application/json")
	for coding, body := range map[string][]byte{"gzip": zipped(plain.Body), "br": brotlied(plain.Body), "zstd": zstded(plain.Body)} {
		packed := page(200, string(body), "Content-Type: application/json", "Content-Encoding: "+coding)
		if got := say(Compare(plain, packed, nil, nil)); got != "match" {
			t.Errorf("%s: %s", coding, got)
		}
		if got := Compare(packed, page(200, string(body), "Content-Type: application/json"), nil, nil); got.Outcome != Mismatch {
			t.Errorf("%s bytes under no Content-Encoding: %s", coding, got.Outcome)
		}
		packed.Header.Set("Content-Encoding", "unheard-of")
		if got := Compare(plain, packed, nil, nil); got.Outcome != Undecodable {
			t.Errorf("an unknown coding: %s", got.Outcome)
		}
	}
}

func TestCharsetIsNoDifferenceIfTheTextIsTheSame(t *testing.T) {
	a := page(200, "<p>caf\xe9", "Content-Type: text/html; charset=iso-8859-1")
	b := page(200, "<p>café", "Content-Type: text/html; charset=utf-8")
	r := Compare(a, b, nil, nil)
	if len(r.Differences) != 1 || r.Differences[0].Kind != KindCharset {
		t.Error(say(r))
	}
}

func TestEventStreamsAreComparedByTheirHeaders(t *testing.T) {
	a, b := page(200, "data: 1\n\n", "Content-Type: text/event-stream"), page(200, "data: 2\n\n", "Content-Type: text/event-stream")
	a.Truncated = true
	if got := say(Compare(a, b, nil, nil)); got != "match" {
		t.Error(got)
	}
}

func TestPagesAreComparedByTheirTokens(t *testing.T) {
	for _, c := range []struct{ name, a, b, want string }{
		{"how it is written", `<UL class=x id='y'><li>a<li>b</UL><!-- c -->`, "<ul id=\"y\" class=\"x\">\n <li>a</li>\n <li>b</li>\n</ul>", "match"},
		{"a row more", `<ul><li>a<li>b</ul>`, `<ul><li>a<li>b<li>c</ul>`, "mismatch\n$.ul.li[2] extra absent→element nothing"},
		{"a text", `<p>a<p>b<p>c`, `<p>a<p>x<p>c`, "mismatch\n$.p[1].text() value word→word class"},
		{"a number in a text", `<p>took 23 ms`, `<p>took 7 ms`, "mismatch\n$.p.text() value text→text normalised"},
	} {
		if got := say(Compare(htmlAnswer(c.a), htmlAnswer(c.b), nil, nil)); got != c.want {
			t.Errorf("%s:\n%s\nwant:\n%s", c.name, got, c.want)
		}
	}
	xml := func(s string) *Answer { return page(200, s, "Content-Type: text/xml") }
	if got := say(Compare(xml(`<p:a xmlns:p="u" x="1"><p:b/></p:a>`), xml(`<a x='1' xmlns="u"><b></b></a>`), nil, nil)); got != "match" {
		t.Errorf("prefixes of namespaces: %s", got)
	}
	form := func(s string) *Answer { return page(200, s, "Content-Type: application/x-www-form-urlencoded") }
	if got := say(Compare(form("a=1&b=%20"), form("b=+&a=1"), nil, nil)); got != "match" {
		t.Errorf("the order of a form: %s", got)
	}
}
