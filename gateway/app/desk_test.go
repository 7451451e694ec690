package app

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestRequestsWaitUntilItIsDecidedWhoServes: at the admin listener nobody is
// refused while another process takes over. Probes do not wait, and what may
// change something is waited for.
func TestRequestsWaitUntilItIsDecidedWhoServes(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:0", "0.0.0.0:0"} {
		old, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		f, err := old.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		next, err := net.FileListener(f) // what the process that takes over has
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		who := func(name string, entered chan struct{}, wait <-chan struct{}) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/slow" {
					close(entered)
					<-wait
				}
				_, _ = io.WriteString(w, name+" "+r.Host+" "+r.Header.Get("X-Forwarded-For")+" "+r.RequestURI)
			})
		}
		var d desk
		entered, wait := make(chan struct{}), make(chan struct{})
		here := &http.Server{Handler: d.before(who("old", entered, wait), old.Addr(), false)}
		there := &http.Server{Handler: who("new", nil, nil)}
		go func() { _ = here.Serve(old) }()
		t.Cleanup(func() { here.Close(); there.Close() })
		_, port, _ := net.SplitHostPort(old.Addr().String())
		ask := func(c *http.Client, method, path string) string {
			r, _ := http.NewRequest(method, "http://127.0.0.1:"+port+path, strings.NewReader("x"))
			r.Host = "ficus.shop"
			r.Header.Set("X-Forwarded-For", "192.0.2.7")
			res, err := c.Do(r)
			if err != nil {
				return err.Error()
			}
			defer res.Body.Close()
			text, _ := io.ReadAll(res.Body)
			if res.Close {
				text = append(text, " close"...)
			}
			return string(text)
		}
		// A connection of each, which leads to the old one whatever happens.
		kept, slow, probe, late := browser(t), browser(t), browser(t), browser(t)
		for _, c := range []*http.Client{kept, slow, probe, late} {
			if got := ask(c, "GET", "/a?b=c"); got != "old ficus.shop 192.0.2.7 /a?b=c" {
				t.Errorf("before: %s", got)
			}
		}
		answers := make(chan string, 2)
		go func() { answers <- ask(slow, "POST", "/slow") }()
		<-entered
		short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if err := d.close(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a change is under way, and closing says %v", err)
		}
		cancel()
		d.open()
		close(wait)
		if got := <-answers; !strings.HasPrefix(got, "old") {
			t.Errorf("what was under way: %s", got)
		}
		if err := d.close(t.Context()); err != nil {
			t.Error(err)
		}
		go func() { answers <- ask(kept, "POST", "/later") }()
		if got := ask(probe, "GET", "/readyz"); !strings.HasPrefix(got, "old") {
			t.Errorf("a probe meanwhile: %s", got)
		}
		select {
		case got := <-answers:
			t.Errorf("undecided, and somebody is answered: %s", got)
		case <-time.After(30 * time.Millisecond):
		}
		go func() { _ = there.Serve(next) }()
		old.Close()
		d.leave()
		if got := <-answers; got != "new ficus.shop 192.0.2.7 /later close" {
			t.Errorf("who waited: %s", got)
		}
		for _, path := range []string{"/readyz", "/a"} {
			if got := ask(late, "GET", path); !strings.HasPrefix(got, "new ficus.shop 192.0.2.7 "+path) {
				t.Errorf("afterwards: %s", got)
			}
		}
	}
}
