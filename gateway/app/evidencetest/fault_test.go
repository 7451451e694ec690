package evidencetest

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// all runs every case, and not only those that are quick.
var all = os.Getenv("FICUS_EVIDENCE") != ""

// A verdict is what must become of a migration.
type verdict string

const (
	rolledBack   verdict = "rolled back"         // by itself, in time
	stopped      verdict = "rolled back or held" // by itself, in time
	neverForward verdict = "never goes forward"  // however long one waits, and it says why
	innocent     verdict = "not rolled back"     // whatever happens
	untouched    verdict = "not even held"       // nor rolled back
	goesForward  verdict = "goes forward"        // by itself, in time
)

// A fault is one case: what is wrong with whom, who comes, and what must
// become of the migration.
type fault struct {
	name    string
	verdict verdict
	says    string                // what the reason must match, as a regular expression
	need    func(mathematics) int // requests until the mathematics is sure
	where   string                // what tells bad requests from good, as a regular expression; empty: nothing does

	live              float64 // % of the users on the service; 0: nobody is, and all is compared
	monolith, service defect  // nil: it does what it should
	both              defect  // what the application is like in any case, on either side
	replicas          int     // more endpoints of the service, which are as they should be
	settings
	visits

	warm   int           // requests before, from which the monolith's latency is known
	onset  int           // requests before anything is wrong
	step   int           // of the ramp, at which it begins to be; 0: the first
	heals  time.Duration // how long failures that nobody sees are given time
	guests []visits      // who else comes, as long as the users do

	// during happens while the users are there, and ends with ctx.
	during func(ctx context.Context, tr *trial)

	requests int    // of an innocent: how many the users make
	then     defect // of an innocent: what the service has after that, which must be found all the same

	quick bool // runs with every go test
}

func (f *fault) run(t *testing.T) {
	if f.ramp == "" && (f.verdict == neverForward || f.verdict == goesForward) {
		f.ramp = fmt.Sprintf("{stage: live, share: %g%%}, {stage: live, share: %g%%}", f.live, min(2*f.live, 95))
		switch {
		case f.live == 0:
			f.ramp = "{stage: shadow}, {stage: live, share: 10%}"
		case f.live >= 95:
			f.ramp = fmt.Sprintf("{stage: live, share: %g%%}, {stage: complete}", f.live)
		}
	}
	tr := prepare(t, f)
	defer func() {
		if t.Failed() && testing.Verbose() {
			t.Logf("the gateway says:\n%s", tr.log.text.String())
		}
	}()
	ctx, cancel := context.WithCancel(tr.ctx)
	defer cancel()
	if f.onset > 0 {
		tr.wait("the requests before", tr.street.send(ctx, f.visits, 0, f.onset).over())
	}
	if f.step > 1 {
		f.onset += tr.reach(ctx, f)
	}
	tr.monolith.broken.Store(true)
	tr.service.broken.Store(true)
	for _, v := range f.guests {
		guests := tr.street.send(ctx, v, 1<<41, 1<<40)
		defer func() { cancel(); guests.gone.Wait() }()
	}
	if f.during != nil {
		over := make(chan struct{})
		go func() { f.during(ctx, tr); close(over) }()
		defer func() { cancel(); tr.wait("what happens beside", over) }()
	}
	switch f.verdict {
	case rolledBack, stopped, goesForward:
		f.found(ctx, tr, f.need)
	case neverForward:
		f.stays(ctx, tr)
	default:
		f.spared(ctx, tr)
	}
}

// reach has users come until the ramp has reached the step of the case, and
// returns how many requests that took.
func (tr *trial) reach(ctx context.Context, f *fault) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	calls := tr.street.send(ctx, f.visits, f.onset, 1<<30)
	tr.until(fmt.Sprintf("step %d", f.step), func() bool { return tr.seen.course().Step == f.step })
	cancel()
	calls.gone.Wait()
	return int(calls.next.Load()) - f.onset
}

// found holds the gateway to find the fault in time.
func (f *fault) found(ctx context.Context, tr *trial, need func(mathematics) int) {
	t := tr.t
	users := f.visits.filled().users
	began := time.Now()
	calls := tr.street.send(ctx, f.visits, f.onset+f.requests, 4*need(mathematicsOf(tr.plan, 2, users))+2000+int(f.heals.Seconds()*2000))
	kinds := ofKind(migrations.RolledBack, migrations.Returning)
	switch {
	case f.verdict == stopped:
		kinds = ofKind(migrations.RolledBack, migrations.Returning, migrations.Held)
	case f.verdict == goesForward:
		kinds = further
	}
	over := calls.over()
	var last <-chan time.Time
	for {
		e, ok := tr.seen.first(kinds)
		if ok {
			f.judge(tr, e, calls.by(e.Time)-calls.by(tr.from(e, began.Add(f.heals))), need)
			return
		}
		select {
		case <-tr.seen.news:
		case <-over:
			over, last = nil, time.After(time.Second) // what is decided now is late in any case
		case <-last:
			t.Fatalf("not %s after %d requests, %d with a bad answer; it waits for: %s", f.verdict, calls.by(time.Now()), calls.bad.Load(), tr.waits())
		case <-time.After(patience):
			t.Fatalf("not %s after %s and %d requests", f.verdict, patience, calls.by(time.Now()))
		}
	}
}

// judge holds a decision to its time and its words.
func (f *fault) judge(tr *trial, e migrations.Event, requests int, need func(mathematics) int) {
	t := tr.t
	test := max(tr.seen.course().K, 1)
	if e.Evidence != nil && len(e.Evidence.Records) > 0 {
		test = e.Evidence.Records[0].Test
	}
	m := mathematicsOf(tr.plan, test, f.visits.filled().users)
	needed := need(m)
	t.Logf("%s after %d requests; the mathematics needs %d (test %d of %d metrics): %s", e.Kind, requests, needed, test, m.budget.Metrics, e.Reason)
	if e.Back() {
		guessed.see(t, f, e.Evidence.Where)
	}
	if limit := needed*3/2 + inFlight; requests > limit {
		t.Errorf("found after %d requests; the mathematics needs %d, and %d are allowed", requests, needed, limit)
	}
	if f.says != "" && !regexp.MustCompile(f.says).MatchString(e.Reason) {
		t.Errorf("the reason is %q, and should match %q", e.Reason, f.says)
	}
	if e.Cause == migrations.CauseTest {
		if _, err := migrations.Explain(e); err != nil {
			t.Errorf("asked why: %v", err)
		}
	}
	if f.verdict != goesForward {
		f.stands(tr)
	}
}

// from returns the time from which the requests count that a decision needed:
// that given, or when its test began, if that was later, as where the latency of
// the monolith became known.
func (tr *trial) from(e migrations.Event, began time.Time) time.Time {
	if last, ok := tr.seen.last(func(x migrations.Event) bool { return x.Kind == migrations.Renewed && x.Seq < e.Seq }); ok && last.Time.After(began) {
		began = last.Time
	}
	if e.Time.Before(began) {
		return e.Time
	}
	return began
}

// further is a step after the first.
func further(e migrations.Event) bool { return e.Kind == migrations.Stepped && e.Step > 1 }

// stands reports a step that a bad service has been given.
func (f *fault) stands(tr *trial) {
	if e, ok := tr.seen.first(further); ok {
		tr.t.Errorf("the ramp went forward to %s: %s", e.Split, e.Reason)
	}
}

// stays holds the ramp to its first step, through three times the requests
// that it would need.
func (f *fault) stays(ctx context.Context, tr *trial) {
	need := f.need
	if need == nil {
		need = step
	}
	n := 3 * need(mathematicsOf(tr.plan, 1, f.visits.filled().users))
	v := f.visits
	v.pause = 2 * time.Millisecond // nothing is decided at a certain request
	calls := tr.street.send(ctx, v, f.onset, n)
	tr.wait("all requests", calls.over())
	says := regexp.MustCompile(f.says)
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		f.stands(tr)
		why := tr.waits()
		switch {
		case tr.t.Failed():
			return
		case says.MatchString(why):
			tr.t.Logf("after %d requests it waits for: %s", n, why)
			return
		case time.Now().After(end):
			tr.t.Errorf("after %d requests it waits for %q, and should say %q", n, why, f.says)
			return
		}
	}
}

// waits says what the migration waits for, and why it was held or rolled back.
func (tr *trial) waits() string {
	var out []string
	if e, ok := tr.seen.first(ofKind(migrations.RolledBack, migrations.Returning, migrations.Held)); ok {
		out = append(out, string(e.Kind)+": "+e.Reason)
	}
	m, err := tr.client.Migration(tr.ctx, "shop")
	if err != nil {
		return err.Error()
	}
	for _, w := range m.WaitsFor {
		out = append(out, w.Text)
	}
	return strings.Join(out, "; ")
}

// spared holds the gateway to roll nothing back.
func (f *fault) spared(ctx context.Context, tr *trial) {
	requests := f.requests
	if requests == 0 {
		requests = 1500
	}
	calls := tr.street.send(ctx, f.visits, f.onset, requests)
	tr.wait("all requests", calls.over())
	time.Sleep(3 * 250 * time.Millisecond) // three rounds of the guard: what it has to say it has said
	kinds := []migrations.Kind{migrations.RolledBack, migrations.Returning}
	if f.verdict == untouched {
		kinds = append(kinds, migrations.Held)
	}
	if e, ok := tr.seen.first(ofKind(kinds...)); ok {
		tr.t.Errorf("%s: %s", e.Kind, e.Reason)
		return
	}
	why := tr.waits()
	tr.t.Logf("%d requests, %d with a bad answer; it waits for: %s", requests, calls.bad.Load(), why)
	if e, held := tr.seen.first(ofKind(migrations.Held)); held && f.says != "" && !regexp.MustCompile(f.says).MatchString(e.Reason) {
		tr.t.Errorf("held because %q, and should say %q", e.Reason, f.says)
	}
	if f.then == nil {
		return
	}
	f.onset += requests
	f.requests = 0
	tr.service.becomes(f.then)
	f.found(ctx, tr, func(m mathematics) int { return m.requests(1, 0) * 6 / 5 })
}
