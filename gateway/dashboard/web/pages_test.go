package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
)

// busy is a world in which something has happened: a migration at 25 %, one in
// shadow, traffic, findings and a history.
func busy(t *testing.T) *world {
	t.Helper()
	w := begin(t, usual)
	w.shift("orders", "shadow=100%", "compare first")
	w.shift("cart", "shadow=100%", "compare first")
	w.visit("/api/orders/7", 30)
	w.visit("/api/cart/7", 30)
	w.shift("orders", "live=25% shadow=75%", "the first users")
	w.visit("/api/orders/7", 60)
	w.visit("/", 5)
	eventually(t, "findings", func() bool { return len(w.findings()) > 1 })
	return w
}

func (w *world) findings() []dashboard.Finding {
	w.t.Helper()
	list, err := w.client.Findings(w.t.Context(), dashboard.FindingsFilter{State: "all"})
	if err != nil {
		w.t.Fatal(err)
	}
	return list.Findings
}

// pages are all pages, and what must be read on them.
func pages(w *world) []struct {
	name, path string
	reads      []string
} {
	return []struct {
		name, path string
		reads      []string
	}{
		{"overview", "/", []string{"of the requests are answered by services", "orders", "live=25% shadow=75%", "team-orders", "shadow=100%", "the first users"}},
		{"migration", "/migrations/orders", []string{"Roll back", "Change", "live=25% shadow=75%", "requests a second", "nothing counted: ", "/api/orders/*", "compare first"}},
		{"findings", "/findings", []string{"GET /api/orders/{id}", "$.total", "$.note", "GET /api/cart/{id}"}},
		{"finding", "/findings/" + w.findings()[0].ID, []string{"The two answers", "not there", "Rules that would accept it", "curl -sSi"}},
		{"routes", "/routes?method=GET&url=/api/orders/7&headers=" + url.QueryEscape("Cookie: uid=u1"), []string{"It goes to", "bucket", "cookie:uid", "What nearly took it", "/api/cart/*", "The table in force is what the files say"}},
		{"history", "/history", []string{"orders was shifted to live=25% shadow=75%", "it was shadow=100%", "ada: the first users", "why?"}},
		{"event", "/history/5", []string{"shadow=100%", "live=25% shadow=75%", "before", "after", "the first users"}},
		{"past", "/past?seq=3", []string{"after event 3", "shadow=100%", "live=25% shadow=75%", "off=100%"}},
		{"rollback", "/rollback", []string{"Roll back orders", "Roll back cart", "Roll back all 2", "Freeze all ramps"}},
		{"access", "/access", []string{"You are alice", "of the file ficus.token", "signed in"}},
		{"problem", "/migrations/nothing", []string{"no such migration", "there are cart, orders"}},
	}
}

// Every page, wide and narrow, light and dark: it says what it should, fits,
// stays where it is while it is live, and the browser has nothing to complain of.
func TestEveryPage(t *testing.T) {
	w := busy(t)
	b := w.open(t, "alice")
	b.expect("404 (Not Found)") // the last of the pages
	for _, p := range pages(w) {
		b.size(1280, 900)
		status := b.goTo(p.path)
		if want := map[bool]int{true: http.StatusNotFound, false: http.StatusOK}[p.name == "problem"]; status != want {
			t.Errorf("%s: %d", p.name, status)
		}
		b.has("main", p.reads...)
		if p.name != "problem" {
			b.live()
		}
		b.picture(p.name)
		for _, scheme := range []string{"dark", "light"} {
			b.scheme(scheme)
			b.size(400, 850)
			if wide := eval[int](b, "document.documentElement.scrollWidth"); wide > 400 {
				t.Errorf("%s is %d wide in a window of 400", p.name, wide)
			}
			b.picture(p.name + "-narrow-" + scheme)
			b.size(1280, 900)
			if scheme == "dark" {
				b.picture(p.name + "-dark")
			}
		}
	}
}

func TestNothingMovesWhileAPageIsLive(t *testing.T) {
	w := busy(t)
	b := w.open(t, "alice")
	done := make(chan struct{})
	go func() { // traffic that changes all the numbers
		defer close(done)
		for i := range 120 {
			w.visit("/api/orders/7", i%7)
			time.Sleep(30 * time.Millisecond)
		}
	}()
	for _, path := range []string{"/", "/migrations/orders"} {
		b.goTo(path)
		b.live()
		before := b.text("main")
		for end := time.Now().Add(10 * time.Second); b.text("main") == before; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s does not come up to date", path)
			}
		}
		time.Sleep(2100 * time.Millisecond) // and once more
		if shifts := eval[float64](b, "window.shifts"); shifts > 0.001 {
			t.Errorf("%s: a layout shift of %v", path, shifts)
		}
	}
	<-done
}

// Nothing but what is ours may run on a page, and nothing may put it into a frame.
func TestPagesAllowOnlyWhatIsOurs(t *testing.T) {
	w := busy(t)
	seen, alice := map[string]bool{}, w.session("alice")
	for _, p := range pages(w) {
		for range 2 {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.admin+p.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.AddCookie(alice)
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			text := read(t, res)
			policy := res.Header.Get("Content-Security-Policy")
			_, nonce, _ := strings.Cut(policy, "script-src 'nonce-")
			nonce, _, _ = strings.Cut(nonce, "'")
			if len(nonce) < 20 || seen[nonce] {
				t.Errorf("%s: nonce %q", p.path, nonce)
			}
			seen[nonce] = true
			for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
				if !strings.Contains(policy, part) {
					t.Errorf("%s: %s", p.path, policy)
				}
			}
			if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") || strings.Contains(policy, "http") {
				t.Errorf("%s: %s", p.path, policy)
			}
			if n := strings.Count(text, "<script"); n != 1 || !strings.Contains(text, `<script src="/assets/ficus.js?`) {
				t.Errorf("%s: %d scripts", p.path, n)
			}
			for _, inline := range []string{"style=", "onclick", "onload", "javascript:", `src="http`, `href="http`} {
				if strings.Contains(text, inline) {
					t.Errorf("%s holds %s", p.path, inline)
				}
			}
		}
	}
}
