package app

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations"
)

// asks runs a command against the gateway and returns what it says.
func (r *running) asks(args ...string) string {
	r.t.Helper()
	var out, errs bytes.Buffer
	if code := Run(r.t.Context(), WithArgs(append(args, "--admin", r.admin)...), WithOutput(&out, &errs)); code != exitOK || errs.Len() > 0 {
		r.t.Errorf("%v: exit code %d, %s", args, code, &errs)
	}
	return out.String()
}

// recovery asks a gateway how users fared by a rollback.
func (r *running) recovery(seq uint64) dashboard.Recovery {
	r.t.Helper()
	d, err := r.client.Decision(r.t.Context(), seq)
	if err != nil || d.Recovery == nil {
		r.t.Fatalf("%+v, %v", d, err)
	}
	return *d.Recovery
}

// inOrder says that the texts stand in another in that order.
func inOrder(t *testing.T, all string, texts ...string) {
	t.Helper()
	rest := all
	for _, text := range texts {
		_, after, ok := strings.Cut(rest, text)
		if !ok {
			t.Errorf("%q is not where it should be in\n%s", text, all)
			return
		}
		rest = after
	}
}

// A request that hangs on the service while it is rolled back ends badly for
// its user after that, and is the last one: the four times stand in the event's
// explanation in their order, and in history and metrics.
func TestARollbackTellsHowLongUsersSuffered(t *testing.T) {
	c := gather(t, 8, 5000, 10*time.Millisecond, "{stage: live, share: 30%, hold: 1h}, {stage: complete}", ", guard: {latency: off}", ", fallback: {off: true}")
	c.at(1)
	eventually(t, "people are on the service", func() bool { return c.service.taken.Load() > 20 })
	began := time.Now()
	release, held := make(chan struct{}), make(chan struct{}, 1)
	let := sync.OnceFunc(func() { close(release) })
	t.Cleanup(let)
	but := func(how string) func(r *http.Request) string {
		return func(r *http.Request) string {
			if r.URL.Path != "/orders/slow" {
				return how
			}
			select {
			case held <- struct{}{}:
			default:
			}
			<-release
			return "broken"
		}
	}
	c.service.breaks(but(""))
	for i := 0; len(held) == 0; i++ { // until the hash places one on the service
		user := fmt.Sprintf("X-User: patient %d", i)
		c.gone.Go(func() { fetch(c.url+"/orders/slow", user) })
		time.Sleep(5 * time.Millisecond)
	}
	c.service.breaks(but("broken"))
	e := c.until(migrations.RolledBack)
	c.stop()
	if f := e.Evidence.FirstBad; f.Before(began.Add(-time.Second)) || f.After(e.Evidence.At) {
		t.Errorf("the first bad request was at %s; the service broke at %s and was rolled back at %s", f, began, e.Evidence.At)
	}
	eventually(t, "it is in force", func() bool { return len(c.counts("orders").Enforced) == 1 })
	time.Sleep(5 * time.Millisecond) // requests are noted by the millisecond
	let()
	c.gone.Wait()
	eventually(t, "all requests are counted", func() bool { return c.gateway.InFlight() == 0 })
	var r dashboard.Recovery
	eventually(t, "the last user is known", func() bool {
		r = c.recovery(e.Seq)
		return r.LastHurt != nil && r.LastHurt.After(r.InForce[0].At)
	})
	if r.FirstBad == nil || r.Decided.Before(*r.FirstBad) || len(r.InForce) != 1 || r.InForce[0].At.Before(r.Decided) || r.Missing != nil || !r.Following {
		t.Errorf("%+v", r)
	}
	if want := r.LastHurt.Sub(*r.FirstBad).Seconds(); r.Seconds < want-0.001 || r.Seconds > want+0.001 {
		t.Errorf("%v s, want %v", r.Seconds, want)
	}
	said := c.asks("history", "--explain", fmt.Sprint(e.Seq))
	inOrder(t, said, "time to recovery", "first bad request", "decided", "in force", "at gateway, ", "last user hurt", "so far", "metric ")
	if said := c.asks("history"); !strings.Contains(said, "recovered in "+dashboard.Span(r.Seconds)+" so far") {
		t.Errorf("history says\n%s", said)
	}
	metrics := fetch(c.admin + "/metrics")
	for _, want := range []string{`ficus_rollback_detection_seconds_count{migration="orders"} 1`, `ficus_rollback_enforcement_seconds_count{migration="orders"} 1`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
	// Moving on ends the minute, and a restart forgets nothing.
	if _, err := c.client.Resume(t.Context(), "orders", "fixed", c.migration().Seq); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the recovery is measured", func() bool {
		return strings.Contains(fetch(c.admin+"/metrics"), `ficus_rollback_recovery_seconds_count{migration="orders"} 1`)
	})
	config, err := os.ReadFile(c.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.running.stop(30 * time.Second); err != nil { // a connection that was never used rests for 5 s
		t.Fatal(err)
	}
	again, err := tryStart(t, filepath.Dir(c.config), string(config))
	if err != nil {
		t.Fatal(err)
	}
	if got := again.recovery(e.Seq); !got.LastHurt.Equal(*r.LastHurt) || len(got.InForce) != 1 || !got.InForce[0].At.Equal(r.InForce[0].At) {
		t.Errorf("after a restart %+v, before it %+v", got, r)
	}
}

// Where fallback heals all that fails, no user is hurt, and what tells the end
// is when the service was last asked, or when the rollback was in force.
func TestARollbackThatNoUserNotices(t *testing.T) {
	c := gather(t, 16, 5000, 20*time.Millisecond, "{stage: live, share: 30%, hold: 1h}, {stage: complete}", "", "")
	c.at(1)
	eventually(t, "people are on the service", func() bool { return c.service.taken.Load() > 20 })
	c.service.breaks(func(*http.Request) string { return "broken" })
	e := c.until(migrations.RolledBack)
	eventually(t, "it is in force", func() bool { return len(c.counts("orders").Enforced) == 1 })
	c.stop()
	c.gone.Wait()
	r := c.recovery(e.Seq)
	if r.LastHurt != nil || r.FirstBad == nil || r.Seconds < r.Decided.Sub(*r.FirstBad).Seconds()-0.001 {
		t.Errorf("%+v", r)
	}
	inOrder(t, c.asks("history", "--explain", fmt.Sprint(e.Seq)), "first bad request", "decided", "in force", "no user was hurt")
}

// Of gateways that share a log each says when it was in force there, any of them
// tells it of all, and one that has not said so is named.
func TestARollbackIsFollowedAtEveryGateway(t *testing.T) {
	t.Parallel()
	redis := newRedis(t)
	config := redis.together() + twoMigrations(t)
	a, b := start(t, config), start(t, config)
	for _, g := range []*running{a, b} {
		eventually(t, "they know one another", func() bool { return len(g.shared.tally.Others()) == 1 })
	}
	a.shift("orders", 100)
	b.stands("orders", 100)
	if _, err := b.client.Rollback(t.Context(), "orders", rollback("no")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is in force at both", func() bool {
		return a.follower.State().Migrations["orders"].RolledBack && b.follower.State().Migrations["orders"].RolledBack
	})
	seq := a.follower.State().Migrations["orders"].Epoch
	names := []string{a.name(), b.name()}
	slices.Sort(names)
	for _, g := range []*running{a, b} {
		var r dashboard.Recovery
		eventually(t, "both have said so", func() bool {
			r = g.recovery(seq)
			return len(r.InForce) == 2
		})
		var got []string
		for _, f := range r.InForce {
			got = append(got, f.Gateway)
			if f.Seconds > 30 || f.Started {
				t.Errorf("%+v", f)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, names) || r.Missing != nil || r.FirstBad != nil {
			t.Errorf("%+v, want %v", r, names)
		}
		inOrder(t, g.asks("history", "--explain", fmt.Sprint(seq)), "decided", "in force", "at "+r.InForce[0].Gateway, "in force", "at "+r.InForce[1].Gateway)
		if said := g.asks("history"); !strings.Contains(said, "no; in force after ") {
			t.Errorf("%s", said)
		}
	}
	// One that starts later serves by it from the beginning, and says so.
	late := start(t, config)
	eventually(t, "the third has said so", func() bool {
		r := a.recovery(seq)
		return len(r.InForce) == 3 && r.InForce[2].Started && r.InForce[2].Gateway == late.name() && r.Missing == nil
	})
	// One that ended well serves nobody, and what it said stands.
	if err := b.stop(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is gone", func() bool { return len(a.shared.tally.Others()) == 1 })
	if r := a.recovery(seq); r.Missing != nil {
		t.Errorf("%+v", r)
	}
}
