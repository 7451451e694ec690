package gateway

import (
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// followed is a gateway that follows the rollbacks of one migration.
func followed(cells ...string) (*Gateway, map[string]*hurts) {
	g := &Gateway{metrics: telemetry.NewMetrics()}
	g.books.init("a", 1)
	g.recovery = newRecoveryMetrics(g.metrics)
	of := make(map[string]*hurts)
	for _, name := range cells {
		of[name] = g.books.of("orders").recoveries.of(name)
	}
	return g, of
}

func TestTheLastUserWhoIsHurt(t *testing.T) {
	at := time.Now().UTC().Truncate(time.Millisecond)
	const first, force = -2 * time.Second, time.Duration(0)
	request := func(after time.Duration, class evidence.Class, f facts) line {
		return line{at: at.Add(after).UnixNano(), class: class, facts: onModern | f}
	}
	for _, c := range []struct {
		name         string
		metric       evidence.Metric
		before, then []line        // before the rollback is in force, and after it
		hurt, asked  time.Duration // 0: none was
	}{
		{name: "nobody comes any more", metric: evidence.Errors},
		{
			name: "the last failure was before it", metric: evidence.Errors,
			before: []line{request(-time.Second, evidence.ClassFailed, harmed), request(-500*time.Millisecond, evidence.ClassOK, 0)},
			hurt:   -time.Second,
		},
		{
			name: "failures of an earlier trouble do not count", metric: evidence.Errors,
			before: []line{request(-time.Hour, evidence.ClassFailed, harmed)},
		},
		{
			name: "a request under way fails after it", metric: evidence.Errors,
			before: []line{request(-time.Second, evidence.ClassFailed, harmed)},
			then:   []line{request(time.Second, evidence.ClassTimeout, harmed), request(2*time.Second, evidence.ClassOK, 0)},
			hurt:   time.Second, asked: 2 * time.Second,
		},
		{
			name: "the monolith heals what fails", metric: evidence.Errors,
			before: []line{request(-time.Second, evidence.ClassFailed, healed)},
			then:   []line{request(time.Second, evidence.ClassFailed, healed)},
			asked:  time.Second,
		},
		{
			name: "what hurts is what the metric counts", metric: evidence.Missing,
			then: []line{request(time.Second, evidence.ClassMissing, 0), request(2*time.Second, evidence.ClassDenied, 0)},
			hurt: time.Second, asked: 2 * time.Second,
		},
		{
			name: "slow answers hurt where latency decided", metric: slowestMetric,
			then: []line{request(time.Second, evidence.ClassOK, slow)},
			hurt: time.Second, asked: time.Second,
		},
		{
			name: "and not where it did not", metric: evidence.Errors,
			then:  []line{request(time.Second, evidence.ClassOK, slow)},
			asked: time.Second,
		},
		{
			name: "requests of the monolith are no matter", metric: evidence.Errors,
			then: []line{{at: at.Add(time.Second).UnixNano(), class: evidence.ClassFailed, facts: failed}},
		},
		{
			name: "after a minute it is over", metric: evidence.Errors,
			then: []line{request(2*evidence.FollowFor, evidence.ClassFailed, harmed)},
		},
	} {
		g, of := followed("")
		for _, n := range c.before {
			of[""].see(&n)
		}
		if !g.follow(Rollback{Seq: 7, Migration: "orders", Metric: c.metric, FirstBad: at.Add(first), Decided: at.Add(-time.Millisecond), At: at.Add(force)}) {
			t.Fatal("it is not new")
		}
		for _, n := range c.then {
			of[""].see(&n)
		}
		zero := func(d time.Duration) time.Time {
			if d == 0 {
				return time.Time{}
			}
			return at.Add(d)
		}
		want := evidence.Enforcement{Seq: 7, Gateway: "a", At: at, LastHurt: zero(c.hurt), LastAsked: zero(c.asked)}
		for _, now := range []time.Time{at.Add(3 * time.Second), at.Add(3 * evidence.FollowFor)} {
			if got := g.said(now); len(got) != 1 || got[0] != want {
				t.Errorf("%s: %+v, want %+v", c.name, got, want)
			}
		}
		if of[""].watched.Load() {
			t.Errorf("%s: requests are watched for ever", c.name)
		}
	}
}

var slowestMetric = evidence.Latencies[evidence.FirstByteP99].Metric

func (g *Gateway) follow(r Rollback) bool { return g.books.of("orders").recoveries.add("a", r) }

func (g *Gateway) said(now time.Time) []evidence.Enforcement {
	return g.books.of("orders").recoveries.read(now, g.recovery.over)
}

func TestARollbackOfOneCellIsFollowedThere(t *testing.T) {
	at := time.Now().UTC().Truncate(time.Millisecond)
	g, of := followed("eu", "rest")
	g.follow(Rollback{Seq: 7, Migration: "orders", Cell: "eu", Decided: at, At: at})
	of["rest"].see(&line{at: at.Add(time.Second).UnixNano(), class: evidence.ClassFailed, facts: onModern | harmed})
	if got := g.said(at.Add(2 * time.Second))[0]; !got.LastHurt.IsZero() || !got.LastAsked.IsZero() {
		t.Errorf("%+v", got)
	}
	of["eu"].see(&line{at: at.Add(time.Second).UnixNano(), class: evidence.ClassFailed, facts: onModern | harmed})
	if got := g.said(at.Add(2 * time.Second))[0]; !got.LastHurt.Equal(at.Add(time.Second)) {
		t.Errorf("%+v", got)
	}
	// What comes once it moves forward again is of the next attempt.
	g.Forward("orders", "eu")
	of["eu"].see(&line{at: at.Add(2 * time.Second).UnixNano(), class: evidence.ClassFailed, facts: onModern | harmed})
	if got := g.said(at.Add(3 * time.Second))[0]; !got.LastHurt.Equal(at.Add(time.Second)) {
		t.Errorf("%+v", got)
	}
}

func TestRecoveriesAreBoundedAndOutlastARestart(t *testing.T) {
	at := time.Now().UTC().Truncate(time.Millisecond)
	g, _ := followed("")
	for seq := range uint64(50) {
		g.follow(Rollback{Seq: seq + 1, Migration: "orders", Decided: at, At: at})
	}
	said := g.said(at)
	if len(said) != evidence.EnforcementLimit || said[0].Seq != 35 {
		t.Fatalf("%d from %d on", len(said), said[0].Seq)
	}
	next, _ := followed("")
	next.Restore("orders", evidence.Counts{Enforced: said})
	if next.follow(Rollback{Seq: 50, Migration: "orders", At: at.Add(time.Hour), Started: true}) {
		t.Error("a restart takes a rollback that it knows for another")
	}
	if !next.follow(Rollback{Seq: 51, Migration: "orders", At: at.Add(time.Hour), Started: true}) {
		t.Error("one that came while the gateway was away is not known")
	}
	if got := next.said(at.Add(time.Hour)); len(got) != evidence.EnforcementLimit || got[len(got)-2] != said[len(said)-1] || !got[len(got)-1].Started {
		t.Errorf("%+v", got)
	}
}
