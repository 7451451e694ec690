package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations"
)

// testers ask with a cookie until the test ends.
func (c *crowd) testers() {
	for range 4 {
		c.gone.Go(func() {
			for c.t.Context().Err() == nil {
				time.Sleep(5 * time.Millisecond)
				req, _ := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/orders/%d", c.url, rand.IntN(5000)), nil)
				req.Header.Set("X-User", fmt.Sprintf("tester %d", rand.IntN(100)))
				req.Header.Set("Cookie", "beta=topsecret")
				if res, err := http.DefaultClient.Do(req); err == nil {
					_, _ = io.Copy(io.Discard, res.Body)
					res.Body.Close()
				}
			}
		})
	}
}

// beta does something to requests with the cookie.
func beta(how string) func(*http.Request) string {
	return func(r *http.Request) string {
		if _, err := r.Cookie("beta"); err == nil {
			return how
		}
		return ""
	}
}

// untested checks a hold that no test has decided: it has evidence of whom it
// is for, and is still explained as one that no test decided.
func untested(t *testing.T, c *crowd, e migrations.Event) {
	t.Helper()
	if e.Evidence == nil {
		t.Fatalf("%+v has no evidence", e)
	}
	if _, err := migrations.Explain(e); !errors.Is(err, migrations.ErrNotTested) {
		t.Errorf("it is explained as %v", err)
	}
	if v := e.Evidence; v.At.IsZero() || v.Gateways != 1 && v.Gateways != 0 || v.Config == "" || len(v.Records) != 0 {
		t.Errorf("%+v", v)
	}
	out := c.run("history", "--explain", fmt.Sprint(e.Seq))
	for _, want := range []string{"where      " + e.Evidence.Where, "no test decided this event"} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "topsecret") || strings.Contains(out, "tester ") {
		t.Errorf("it tells what users sent:\n%s", out)
	}
}

// run runs a command against the gateway and returns what it writes.
func (c *crowd) run(args ...string) string {
	c.t.Helper()
	var out, errs bytes.Buffer
	if code := Run(c.t.Context(), WithArgs(append(args, "--admin", c.admin)...), WithOutput(&out, &errs)); code != exitOK {
		c.t.Errorf("%s: exit code %d: %s", args, code, &errs)
	}
	return out.String()
}

// A hold for an open finding says which requests show the finding, and so does
// the finding.
func TestAHoldForAFindingNamesItsRequests(t *testing.T) {
	c := gather(t, 8, 5000, 10*time.Millisecond, "{stage: shadow, share: 100%, hold: 1h}, {stage: complete}", "", "")
	c.at(1)
	m, err := c.client.Migration(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.client.Hold(t.Context(), "orders", "until the finding is known well", m.Seq); err != nil {
		t.Fatal(err)
	}
	c.service.breaks(beta("missing"))
	c.testers()
	var found dashboard.Finding
	eventually(t, "the finding is known well", func() bool {
		page, err := c.client.Findings(t.Context(), dashboard.FindingsFilter{Migration: "orders"})
		if err != nil || len(page.Findings) == 0 {
			return false
		}
		found = page.Findings[0]
		return found.Count > 100
	})
	if m, err = c.client.Migration(t.Context(), "orders"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.client.Resume(t.Context(), "orders", "it is known", m.Seq); err != nil {
		t.Fatal(err)
	}
	var e migrations.Event
	for held, err := range c.Events().Follow(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if held.Kind == migrations.Held && held.Cause != "" {
			e = held
			break
		}
	}
	if e.Cause != migrations.CauseFinding {
		t.Fatalf("%+v", e)
	}
	untested(t, c, e)
	if where := "GET /orders/{id}: only requests with the cookie beta: "; !strings.HasPrefix(e.Evidence.Where, where) || !strings.Contains(e.Evidence.Where, "; 0 of ") {
		t.Errorf("where: %q", e.Evidence.Where)
	}
	for _, o := range e.Evidence.Offenders {
		if o.Method != "GET" || o.Endpoint != "/orders/{id}" || o.Status != 404 || o.Upstream != c.service.address {
			t.Errorf("%+v", o)
		}
	}
	if len(e.Evidence.Offenders) == 0 {
		t.Error("no offenders")
	}
	if out := c.run("findings", "show", found.ID); !strings.Contains(out, "  where      only requests with the cookie beta: ") {
		t.Errorf("it does not say where:\n%s", out)
	}
}

// A hold for the monolith's sake says which requests fail there.
func TestAHoldForTheMonolithNamesItsRequests(t *testing.T) {
	c := gather(t, 8, 5000, 10*time.Millisecond, "{stage: live, share: 50%, hold: 1h}, {stage: complete}", "", "")
	c.at(1)
	c.testers()
	eventually(t, "users were answered well", func() bool { return c.service.taken.Load() > 1000 })
	c.monolith.breaks(beta("broken"))
	e := c.until(migrations.Held)
	if e.Cause != migrations.CauseControl && e.Cause != migrations.CauseBurn { // whichever is seen first
		t.Fatalf("%+v", e)
	}
	untested(t, c, e)
	if where := "at monolith: only requests with the cookie beta: "; !strings.HasPrefix(e.Evidence.Where, where) || !strings.Contains(e.Evidence.Where, " got status 500; 0 of ") {
		t.Errorf("where: %q", e.Evidence.Where)
	}
	for _, o := range e.Evidence.Offenders {
		if o.Status != 500 || o.Upstream != c.monolith.address {
			t.Errorf("%+v", o)
		}
	}
}
