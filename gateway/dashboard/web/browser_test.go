package web_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/ficus-gateway/ficus/gateway/dashboard/browsertest"
)

// One browser serves all tests; each gets contexts of its own in it, which
// share no cookies.
var chromium = sync.OnceValues(func() (browser context.Context, err error) {
	browser, ending, err = browsertest.Start()
	return browser, err
})

// ending ends the browser, if it was begun.
var ending func()

func TestMain(m *testing.M) {
	code := m.Run()
	if ending != nil {
		ending()
	}
	os.Exit(code)
}

// A tab is a browser of one person.
type tab struct {
	t    testing.TB
	w    *world
	ctx  context.Context
	mu   sync.Mutex // guards said
	said []string   // what the browser complains of
	may  []string   // complaints that are expected: parts of them
}

// watches is run before the scripts of a page: it adds up layout shifts and
// keeps refusals of the Content-Security-Policy.
const watches = `window.shifts = 0;
new PerformanceObserver(list => { for (const e of list.getEntries()) if (!e.hadRecentInput) window.shifts += e.value; }).observe({ type: "layout-shift", buffered: true });
document.addEventListener("securitypolicyviolation", e => console.error("policy: " + e.violatedDirective + " " + e.blockedURI));`

// open opens a browser for somebody; for nobody if name is empty.
func (w *world) open(t testing.TB, name string) *tab {
	t.Helper()
	browser, err := chromium()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	ctx, done := context.WithTimeout(ctx, time.Minute)
	b := &tab{t: t, w: w, ctx: ctx}
	t.Cleanup(func() {
		done()
		cancel()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, text := range b.said {
			t.Errorf("the browser complains: %s", text)
		}
	})
	if err := chromedp.Listen(ctx, b.hear); err != nil { // it opens the tab too, which lives as long as this context
		t.Fatal(err)
	}
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watches})
	if name != "" {
		c := w.session(name)
		yes := true
		call(b, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, URL: w.admin, HTTPOnly: &yes, SameSite: network.CookieSameSiteStrict})
	}
	b.size(1280, 900)
	return b
}

// hear keeps what the browser complains of.
func (b *tab) hear(ev any) {
	text := ""
	switch ev := ev.(type) {
	case *runtime.EventExceptionThrown:
		text = "exception: " + ev.ExceptionDetails.Text
	case *runtime.EventConsoleAPICalled:
		if ev.Type == "error" || ev.Type == "warning" || ev.Type == "assert" {
			text = fmt.Sprintf("console: %v", ev.Args)
		}
	case *log.EventEntryAdded:
		if ev.Entry.Level == "error" || ev.Entry.Level == "warning" {
			text = ev.Entry.Text + " " + ev.Entry.URL
		}
	case *page.EventJavascriptDialogOpening:
		text = "dialog: " + ev.Message
	}
	if text == "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, may := range b.may {
		if strings.Contains(text, may) {
			return
		}
	}
	b.said = append(b.said, text)
}

// expect says that a complaint is part of what is tested.
func (b *tab) expect(part string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.may = append(b.may, part)
}

func call[P, R any](b *tab, cmd cdp.Command[P, R], params P) R {
	b.t.Helper()
	out, err := chromedp.Call(b.ctx, cmd, params)
	if err != nil {
		b.t.Fatalf("%s: %v", cmd.Method, err)
	}
	return out
}

// do takes steps.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%v\n%s", err, b.text("body"))
	}
}

// goTo opens a page and returns the status of the answer.
func (b *tab) goTo(path string) int {
	b.t.Helper()
	res, err := chromedp.Run(b.ctx, chromedp.NavigateResponse(b.w.admin+path))
	if err != nil || res == nil {
		b.t.Fatalf("%s: %v", path, err)
	}
	return int(res.Status)
}

// press clicks, and waits for the page that comes.
func (b *tab) press(css string) int {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	res, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(css)))
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", css, err, b.text("body"))
	}
	return int(res.Status)
}

// fill writes into a field, over what is there.
func (b *tab) fill(css, text string) {
	b.t.Helper()
	b.do(chromedp.Focus(chromedp.CSS(css)), chromedp.Evaluate[chromedp.Void](fmt.Sprintf("document.querySelector(%q).select()", css)), chromedp.KeyEvent(text))
}

// keys presses keys, one after the other.
func (b *tab) keys(keys ...string) {
	b.t.Helper()
	for _, k := range keys {
		b.do(chromedp.KeyEvent(k))
	}
}

// tabTo presses the tabulator until an element has the focus, and fails if it
// never gets it.
func (b *tab) tabTo(css string) {
	b.t.Helper()
	for range 80 {
		if eval[bool](b, fmt.Sprintf("!!document.activeElement && document.activeElement.matches(%q)", css)) {
			return
		}
		b.keys(kb.Tab)
	}
	b.t.Fatalf("the tabulator does not lead to %s", css)
}

// eval computes something in the page.
func eval[T any](b *tab, script string) T {
	b.t.Helper()
	out, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return out
}

// text returns what is to be read in an element, or nothing if there is none.
func (b *tab) text(css string) string {
	out, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](fmt.Sprintf("(document.querySelector(%q) || {innerText: ''}).innerText", css)))
	if err != nil {
		return "(" + err.Error() + ")"
	}
	return out
}

// has fails unless all is to be read in an element, waiting for it if need be.
func (b *tab) has(css string, parts ...string) {
	b.t.Helper()
	for _, part := range parts {
		for end := time.Now().Add(10 * time.Second); !strings.Contains(b.text(css), part); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				b.t.Fatalf("%s lacks %q:\n%s", css, part, b.text(css))
			}
		}
	}
}

// live waits until the page is brought up to date.
func (b *tab) live() { b.t.Helper(); b.has("#connection", "Live") }

// size sets the window.
func (b *tab) size(width, height int64) { b.t.Helper(); b.do(chromedp.EmulateViewport(width, height)) }

// scheme sets what the person prefers.
func (b *tab) scheme(name string) {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
}

// picture writes a screenshot, if the environment names a folder for them.
func (b *tab) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("FICUS_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// evalAwait is as eval, for a promise of a text.
func evalAwait(b *tab, script string) string {
	b.t.Helper()
	out, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return out
}
