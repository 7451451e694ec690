package web_test

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// axe finds what keeps people from using a page (github.com/dequelabs/axe-core
// 4.14.1, MPL 2.0): for the tests only.
//
//go:embed testdata/axe.min.js.gz
var axe []byte

// inspect returns what axe finds serious on the page that is open: names,
// roles, order, contrast and more.
func (b *tab) inspect() []string {
	b.t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(axe))
	if err != nil {
		b.t.Fatal(err)
	}
	script, err := io.ReadAll(z)
	if err != nil {
		b.t.Fatal(err)
	}
	b.do(chromedp.Evaluate[chromedp.Void](string(script) + ";undefined"))
	out, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](`axe.run().then(r => r.violations.filter(v => v.impact !== "minor").flatMap(v => v.nodes.map(n =>
		v.impact + ": " + v.id + " (" + v.help + "): " + n.target.join(" ") + " " + n.html.slice(0, 120) + " " + n.any.map(a => a.message).join("; "))))`, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

func TestEveryPageIsForEverybody(t *testing.T) {
	w := busy(t)
	b := w.open(t, "alice")
	b.expect("404 (Not Found)")
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		for _, p := range pages(w) {
			b.goTo(p.path)
			if p.name != "problem" {
				b.live()
			}
			for _, trouble := range b.inspect() {
				t.Errorf("%s, %s: %s", p.name, scheme, trouble)
			}
		}
	}
	// Narrow, and what is said of a form that was refused.
	b.expect("409 (Conflict)")
	b.size(400, 850)
	b.goTo("/migrations/orders")
	b.fill("#why", "late")
	w.shift("orders", "live=30%", "faster")
	b.has(".meanwhile", "faster") // or it moves the button while it is being pressed
	b.press("#shift")
	b.has(".notice.bad", "ada was faster")
	for _, trouble := range b.inspect() {
		t.Errorf("refused: %s", trouble)
	}
	b.picture("migration-refused-narrow")
	n := w.open(t, "")
	for _, path := range []string{"/login", "/", "/migrations/orders"} {
		n.goTo(path)
		for _, trouble := range n.inspect() {
			t.Errorf("nobody, %s: %s", path, trouble)
		}
	}
	// What a screen reader is told of the parts that matter.
	for css, want := range map[string]string{
		"svg.tree": "services answer", "#toggle": "switch", "#connection": "status", "#migrations svg.split": "live=",
	} {
		b.goTo(map[bool]string{true: "/migrations/orders", false: "/"}[css == "#toggle"])
		html := eval[string](b, "document.querySelector('"+css+"').outerHTML")
		if !strings.Contains(html, want) && css != "#migrations svg.split" || !strings.Contains(html, "role=") {
			t.Errorf("%s: %.200s", css, html)
		}
	}
}
