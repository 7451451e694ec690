package migrations

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

func TestSightSaysWhatAStepCanSee(t *testing.T) {
	plan := ramp("shadow", "live=1%", "live=50%", "complete")
	plan.Guard.FalseAlarm = 0.001
	busy := evidence.Traffic{Hourly: 4000, PerKey: 5, Bad: 0.002}
	for step, want := range []string{1: "nobody is on the service", 2: "sees errors that rise from 0.2 %", 3: "an outage after", 4: "nobody is left on the monolith"} {
		if got := See(plan, step, busy, 0, 1).String(); step > 0 && !strings.Contains(got, want) {
			t.Errorf("step %d: %s, want %q", step, got, want)
		}
	}
	one, half := See(plan, 2, busy, 0, 1), See(plan, 3, busy, 0, 1)
	if !one.Sees || !half.Sees || half.Rate > one.Rate || one.Outage <= 0 || one.Within != time.Hour {
		t.Errorf("%+v\n%+v", one, half)
	}
	if later := See(plan, 2, busy, 9, 1); later.Rate <= one.Rate {
		t.Errorf("the ninth test sees %v, the second %v", later.Rate, one.Rate)
	}
	quiet := See(plan, 2, evidence.Traffic{Hourly: 3}, 0, 1)
	if !quiet.Blind || !strings.Contains(quiet.String(), "a person must approve it") {
		t.Errorf("%+v", quiet)
	}
	if got := FalseAlarms(plan, plan); got != 0.002 {
		t.Errorf("two migrations risk %v", got)
	}
}

func TestWhatASightNeeds(t *testing.T) {
	plan := ramp("shadow", "live=1%", "live=50%", "complete")
	plan.Guard.FalseAlarm = 0.001
	need, ok := Need(plan, 2, 0)
	half, also := Need(plan, 3, 0)
	if !ok || !also || half >= need {
		t.Errorf("a step of 1 %% needs %v people an hour, one of half %v", need, half)
	}
	if s := See(plan, 2, evidence.Traffic{Hourly: need, PerKey: 1}, 0, 1); s.Blind || s.Outage > s.Within {
		t.Errorf("with as many it sees %+v", s)
	}
	if s := See(plan, 2, evidence.Traffic{Hourly: need * 0.9, PerKey: 1}, 0, 1); !s.Blind && s.Outage <= s.Within {
		t.Errorf("with fewer it sees %+v", s)
	}
	for _, step := range []int{1, 4} {
		if need, ok := Need(plan, step, 0); ok {
			t.Errorf("step %d compares nothing, and needs %v", step, need)
		}
	}
}

// Who comes in a week decides whether a step is blind, before it begins.
func TestABlindStepByTheLastWeekNeedsAnApproval(t *testing.T) {
	s := orders(t, "live=1%", "live=50%")
	for h := range 30 {
		for i := range 5 {
			s.counts.Week.Add(s.now.Add(-time.Duration(h)*time.Hour), evidence.KeyOf(time.Duration(i).String()))
		}
	}
	s.waits(WaitApproval, "too few users come for the guard to see even an outage within a week")
	s.apply(Event{Migration: "orders", Kind: Approved, Step: 1, Actor: "alice"})
	s.want(Stepped, "its ramp has begun")
}

func TestExplainRefusesWhatNoTestDecided(t *testing.T) {
	for name, e := range map[string]Event{
		"by a person":     {Seq: 3, Kind: RolledBack, Split: All(Off)},
		"part of the way": {Seq: 5, Kind: Returning, Because: 4},
		"absolute rule":   {Seq: 6, Kind: RolledBack, Cause: CauseHarm, Evidence: &Evidence{Harm: 20, Records: make([]evidence.Record, 1)}},
		"no records":      {Seq: 7, Kind: Held, Cause: CauseTest, Evidence: &Evidence{}},
	} {
		if _, err := Explain(e); !errors.Is(err, ErrNotTested) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSlowIsWhatItWasAtTheStep(t *testing.T) {
	s := orders(t, "live=10%", "live=50%").replan(func(p *Plan) { p.Guard.Latency = &LatencyGuard{Quantile: 0.9, WorseBy: 0.5} })
	if limits := s.plan.Limits(s.m().Course("")); limits != [2]evidence.Taus{} {
		t.Error("something is slow before anything was measured")
	}
	for range 200 {
		s.counts.Latency.Add(s.now.Add(-10*time.Minute), 100*time.Millisecond)
	}
	e := s.want(Stepped, "")
	limits, about := s.plan.Limits(s.m().Course("")), func(got, want time.Duration) bool { return got > want*97/100 && got < want*103/100 }
	const p50, p90, p99 = 0, 1, evidence.FirstByteP99
	legacy, modern := limits[evidence.Legacy], limits[evidence.Modern]
	if e.Taus == nil || !about(legacy[p90], 100*time.Millisecond) || !about(modern[p90], 150*time.Millisecond) {
		t.Errorf("at the p90 of the plan: %v and %v", legacy, modern)
	}
	if !about(legacy[p50], 100*time.Millisecond) || !about(modern[p50], 200*time.Millisecond) {
		t.Errorf("at the p50, which the plan does not name: %v and %v", legacy, modern)
	}
	if legacy[p99] != 0 || modern[p99] != 0 {
		t.Errorf("200 answers tell no p99, and it is %v and %v", legacy[p99], modern[p99])
	}
}

func TestSkipTakesTheStepAtOnce(t *testing.T) {
	s := orders(t, "live=10%", "live=50%")
	s.replan(func(p *Plan) { p.Steps[1].Approve = true }).begin()
	c := Command{Migration: "orders", Actor: "alice", Reason: "seen enough"}
	e, err := Skip(s.state, c, s.plan)
	if err != nil {
		t.Fatal(err)
	}
	s.apply(e)
	if m := s.m(); m.Step != 2 || m.Split.Modern() != 50_000 || m.Ramp != RampRunning || m.Tests != 2 {
		t.Errorf("%+v", m)
	}
	if _, err := Skip(s.state, c, s.plan); !errors.Is(err, ErrRefused) {
		t.Errorf("a skip of the last step: %v", err)
	}
	if _, err := Approve(s.state, c, s.plan); !errors.Is(err, ErrRefused) {
		t.Errorf("an approval after the last step: %v", err)
	}
	s = orders(t, "live=10%", "live=50%")
	s.apply(Event{Migration: Every, Kind: Frozen, Reason: "sale"})
	if _, err := Skip(s.state, c, s.plan); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "sale") {
		t.Errorf("a skip in a freeze: %v", err)
	}
	if _, err := Restart(s.state, c); !errors.Is(err, ErrRefused) {
		t.Errorf("a restart before the first step: %v", err)
	}
}

// The table of docs/guide/ramps.md.
func TestSightIsWhatTheGuideSays(t *testing.T) {
	plan := ramp("shadow", "live=1%", "live=10%", "live=50%")
	plan.Guard = Guard{FalseAlarm: 0.001, Latency: &LatencyGuard{Quantile: 0.99}, Outcomes: true, Mismatches: 0.001}
	plan.Compare.Sample = 1
	for step, want := range map[int]string{
		2: "from 0.2 % to 6.5 % within 1h0m0s, an outage after 15m",
		3: "from 0.2 % to 1.5 % within 1h0m0s, an outage after 1m3",
		4: "from 0.2 % to 0.96 % within 1h0m0s, an outage after 48s",
	} {
		if got := See(plan, step, evidence.Traffic{Hourly: 4000, PerKey: 5, Bad: 0.002}, 0, 1).String(); !strings.Contains(got, want) {
			t.Errorf("%s; the guide says %q", got, want)
		}
	}
}
