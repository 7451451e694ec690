package migrations

import (
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// slowest is the metric of the first byte's p99.
var slowest = evidence.Latencies[evidence.FirstByteP99].Metric

// A scene is a migration on its ramp, and what is known of it.
type scene struct {
	t      *testing.T
	plan   Plan
	state  State
	counts evidence.Counts
	now    time.Time
}

// orders sets a scene: a running ramp that has not taken a step.
func orders(t *testing.T, steps ...string) *scene {
	t.Helper()
	plan := ramp(steps...)
	plan.ID, plan.From, plan.To, plan.Guard.FalseAlarm = "orders", "monolith", "orders", 0.001
	plan.Guard.Blip = 3 * time.Second
	s := &scene{t: t, plan: plan, now: time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)}
	s.apply(Event{Migration: "orders", Kind: Created, Plan: plan.Hash(), Cells: plan.CellSteps(Migration{}), Steps: len(plan.Steps)})
	s.apply(Event{Migration: "orders", Kind: Resumed, Actor: "alice"})
	return s
}

// replan edits the plan, and has the log know it.
func (s *scene) replan(edit func(*Plan)) *scene {
	s.t.Helper()
	edit(&s.plan)
	s.apply(Event{Migration: "orders", Kind: Planned, Plan: s.plan.Hash(), Cells: s.plan.CellSteps(s.m()), Steps: len(s.plan.Steps), Step: s.m().Step})
	return s
}

// apply puts events into the log of the scene, now.
func (s *scene) apply(events ...Event) {
	s.t.Helper()
	_, next, err := Admit(s.state, Unconditional, s.now, events...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.state = next
	s.counts.At = s.now
}

func (s *scene) m() Migration { return s.state.Migrations["orders"] }

// pass lets time pass, with counts that are read at its end.
func (s *scene) pass(d time.Duration) {
	s.now = s.now.Add(d)
	s.counts.At = s.now
}

// decide decides, and applies it.
func (s *scene) decide() []Event {
	s.t.Helper()
	events := Decide(s.state, s.plan, s.counts, s.now)
	if len(events) > 0 {
		s.apply(events...)
	}
	return events
}

// want decides, and wants one event of a kind with a text in its reason.
func (s *scene) want(kind Kind, reason string) Event {
	s.t.Helper()
	events := s.decide()
	if len(events) != 1 || events[0].Kind != kind || !strings.Contains(events[0].Reason, reason) {
		s.t.Fatalf("decided %s, want %s with %q", texts(events), kind, reason)
	}
	return events[0]
}

// waits wants no event, and a reason to wait.
func (s *scene) waits(wait Wait, text string) {
	s.t.Helper()
	if events := s.decide(); len(events) != 0 {
		s.t.Fatalf("decided %s, want to wait for %s", texts(events), wait)
	}
	reasons := Waiting(s.state, s.plan, s.counts, s.now)
	for _, r := range reasons {
		if r.For == wait && strings.Contains(r.Text, text) {
			return
		}
	}
	s.t.Fatalf("waits for %+v, want %s with %q", reasons, wait, text)
}

func texts(events []Event) string {
	var b strings.Builder
	for _, e := range events {
		b.WriteString(string(e.Kind) + " " + e.Cell + " " + e.Split.String() + " (" + e.Reason + ") ")
	}
	if b.Len() == 0 {
		return "nothing"
	}
	return b.String()
}

// cell returns the counts of the present test.
func (s *scene) cell(name string) *evidence.Cell {
	course := s.m().Course(name)
	if s.counts.Cells == nil {
		s.counts.Cells = map[string]*evidence.Cell{}
	}
	c := s.counts.Cells[name]
	if c == nil {
		c = evidence.NewCell(course.Test, course.Split.Modern())
	} else if c.Test != course.Test {
		c = c.Next(course.Test, course.Split.Modern(), 0, 0, false)
	}
	c.Begin(course.Epoch, course.Split.Modern())
	s.counts.Cells[name] = c
	return c
}

// traffic counts n people with a good request each, by the hash of their key,
// and comparisons in shadow.
func (s *scene) traffic(n int) {
	c, course := s.cell(""), s.m().Course("")
	for i := range n {
		key := evidence.KeyOf(course.Since.String() + string(rune('a'+i%26)) + time.Duration(i).String())
		side := evidence.Legacy
		if int(uint64(key)%Buckets) < course.Split.Modern() {
			side = evidence.Modern
		}
		c.Saw(key, course.Epoch, side)
		e := c.Epoch(course.Epoch)
		e.Requests[side]++
		e.Clean[side]++
		s.counts.Burn[side].Add(s.now, 1, 0)
		if course.Split.Share(Shadow) > 0 {
			c.Observed.Sampled++
			c.Observed.Match++
		}
	}
}

// bad counts n people whose request on a side went wrong.
func (s *scene) bad(metric evidence.Metric, side evidence.Side, n int) {
	c, course := s.cell(""), s.m().Course("")
	for i := range n {
		key := evidence.KeyOf(string(metric) + side.String() + time.Duration(i).String())
		c.Count(metric, key, course.Epoch, side)
		c.Link(metric, time.Duration(i).String())
		e := c.Epoch(course.Epoch)
		e.Requests[side]++
		if e.Bad == nil {
			e.Bad = map[evidence.Metric]evidence.Sides{}
		}
		sides := e.Bad[metric]
		sides[side]++
		e.Bad[metric] = sides
	}
}

// at takes the first step, and lets an hour pass in it.
func (s *scene) begin() *scene {
	s.t.Helper()
	s.want(Stepped, "its ramp has begun")
	s.pass(time.Hour)
	return s
}

func TestRampStepsOnEvidence(t *testing.T) {
	s := orders(t, "shadow", "live=10%", "live=50%", "complete")
	s.plan.Steps[0].Observations, s.plan.Steps[0].Hold = 1000, 30*time.Minute
	s.plan.Steps[1].Requests = 300
	s.replan(func(*Plan) {})
	s.want(Stepped, "its ramp has begun")
	s.pass(29 * time.Minute)
	s.traffic(1100)
	s.waits(WaitHold, "1m0s of this step are left")
	s.pass(time.Minute)
	e := s.want(Stepped, "1100 comparisons, of which 0 differ")
	if e.Step != 2 || e.Steps != 4 || e.Split.String() != "live=10% shadow=90%" || e.Content == nil || e.Content.Requests != 300 || e.Plan != s.plan.Hash() || e.Evidence == nil || e.Evidence.Observed.Match != 1100 {
		t.Fatalf("%+v", e)
	}
	s.pass(time.Hour)
	s.waits(WaitTraffic, "")
	s.traffic(2500)
	s.waits(WaitRequests, "of 300 clean requests")
	s.traffic(2500)
	s.want(Stepped, "at most")
	s.pass(time.Hour)
	s.traffic(500)
	if e := s.want(Stepped, "clean requests"); e.Split.String() != "complete=100%" {
		t.Fatalf("%+v", e)
	}
	s.pass(time.Hour)
	s.traffic(500)
	if events := s.decide(); len(events) != 0 {
		t.Fatalf("after the last step: %s", texts(events))
	}
	if reasons := Waiting(s.state, s.plan, s.counts, s.now); len(reasons) != 0 {
		t.Errorf("waits for %+v", reasons)
	}
	if m := s.m(); m.Step != 4 || m.Tests != 4 || m.K != 4 {
		t.Errorf("%+v", m)
	}
}

func TestTimeAloneMovesNothing(t *testing.T) {
	s := orders(t, "live=10%", "live=50%").begin()
	s.pass(24 * time.Hour)
	s.waits(WaitTraffic, "no request with a targeting key")
	s.traffic(60)
	s.waits(WaitKeys, "users on orders")
	s.counts.At = s.now.Add(-time.Minute)
	s.traffic(1000)
	s.waits(WaitCounts, "not fresh")
	s.counts.At, s.counts.Own = s.now, true
	s.waits(WaitCounts, "not fresh")
	s.counts.Own = false
	s.want(Stepped, "clean requests")
}

func TestTestRollsBack(t *testing.T) {
	for metric, edit := range map[evidence.Metric]func(*Plan){
		evidence.Errors:     func(*Plan) {},
		evidence.Timeouts:   func(*Plan) {},
		slowest:             func(p *Plan) { p.Guard.Latency = &LatencyGuard{Quantile: 0.99, WorseBy: 0.2} },
		evidence.Mismatches: func(p *Plan) { p.Guard.Mismatches = 0.001 },
	} {
		s := orders(t, "shadow", "live=5%", "live=50%").replan(edit)
		s.want(Stepped, "")
		s.pass(time.Hour)
		s.traffic(200)
		s.want(Stepped, "")
		s.traffic(1000)
		s.bad(metric, evidence.Modern, 5)
		e := s.want(RolledBack, "rolled back automatically: ")
		if m := s.m(); m.PastOff() || !m.RolledBack || m.Ramp != RampHeld || m.Cause != CauseTest || m.Test != 0 {
			t.Errorf("%s: %+v", metric, m)
		}
		got, err := Explain(e)
		if r := e.Evidence.Records[0]; err != nil || got != r.E || r.Metric != metric || r.Test != 2 || len(e.Evidence.Spans) != 5 {
			t.Errorf("%s: %v, %v of %+v", metric, got, err, e.Evidence)
		}
		line, _ := encode(t, Hash{}, e)
		read, _, err := DecodeLine(Hash{}, line)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Explain(read); err != nil || again != got {
			t.Errorf("%s: read back, E is %v (%v), want %v", metric, again, err, got)
		}
		read.Evidence.Records[0].Epochs[0].Service--
		if _, err := Explain(read); err == nil {
			t.Errorf("%s: changed counts went unnoticed", metric)
		}
		s.waits(WaitResume, "rolled back")
	}
}

// A service that is broken altogether at the 5 % step, late in a ramp and with
// every metric watched: five people are enough. One who sends all the errors is not.
func TestFivePeopleAreEnough(t *testing.T) {
	s := orders(t, "shadow", "live=1%", "live=5%", "live=50%").replan(func(p *Plan) {
		p.Guard.Mismatches, p.Guard.Latency = 0.001, &LatencyGuard{Quantile: 0.99}
	})
	for s.m().Step < 3 {
		s.want(Stepped, "")
		s.pass(time.Hour)
		s.traffic(9000)
	}
	for range 1000 {
		s.bad(evidence.Errors, evidence.Modern, 1)
	}
	if events := Decide(s.state, s.plan, s.counts, s.now); len(events) > 0 && events[0].Kind == RolledBack {
		t.Fatalf("one person: %s", texts(events))
	}
	s.bad(evidence.Errors, evidence.Modern, 5)
	s.want(RolledBack, "5 users got an error from orders, 0 from monolith, with 5 % of the users on orders; fallback answered every one of them")
}

func TestErrorsOnBothSidesAreNoReason(t *testing.T) {
	s := orders(t, "live=10%", "live=50%").begin()
	s.traffic(3000)
	s.bad(evidence.Errors, evidence.Modern, 10)
	s.bad(evidence.Errors, evidence.Legacy, 90)
	s.want(Stepped, "")
}

func TestMismatchesInShadowHold(t *testing.T) {
	s := orders(t, "shadow", "live=5%").replan(func(p *Plan) { p.Guard.Mismatches = 0.001 }).begin()
	s.traffic(100)
	s.bad(evidence.Mismatches, evidence.Modern, 20)
	e := s.want(Held, "the answers of orders and monolith differ for 20 of 20 users")
	if _, err := Explain(e); err != nil || e.Cause != CauseTest {
		t.Error(err)
	}
	s.pass(24 * time.Hour)
	s.waits(WaitResume, "held")
}

func TestOutageTripsWithFewPeople(t *testing.T) {
	s := orders(t, "live=1%", "live=50%").begin()
	var streak evidence.Streak
	for i := range 20 {
		streak.Heal(s.now.Add(time.Duration(i)*100*time.Millisecond), 0)
	}
	s.cell("").Streaks = evidence.Streaks{"a": streak}
	if events := s.decide(); len(events) != 0 {
		t.Errorf("decided %s before a second was over", texts(events))
	}
	s.pass(2 * time.Second)
	s.want(Held, "failed the last 20 requests") // for less than three seconds: it may be a restart
	streak.Heal(s.now.Add(2*time.Second), 0)
	s.cell("").Streaks = evidence.Streaks{"a": streak}
	e := s.want(RolledBack, "outage: orders failed the last 21 requests")
	if e.Cause != CauseOutage || e.Evidence.Streak == nil {
		t.Errorf("%+v", e)
	}
	if _, err := Explain(e); err == nil {
		t.Error("an absolute rule was explained as a test")
	}
	// After a resume the streak of before has had its consequence.
	s.pass(time.Hour)
	s.apply(Event{Migration: "orders", Kind: Resumed})
	s.want(Stepped, "")
	streak.Heal(s.now, 0)
	s.cell("").Streaks = evidence.Streaks{"a": streak}
	s.pass(time.Second)
	if events := s.decide(); len(events) != 0 {
		t.Errorf("decided %s", texts(events))
	}
}

func TestBlipHoldsAndGoesOn(t *testing.T) {
	s := orders(t, "live=10%", "live=50%").begin()
	s.traffic(2000)
	var streak evidence.Streak
	for i := range 8 {
		streak.Heal(s.now.Add(time.Duration(i)*200*time.Millisecond), 0)
	}
	s.cell("").Streaks = evidence.Streaks{"a": streak}
	s.pass(1500 * time.Millisecond)
	s.want(Held, "failed the last 8 requests")
	s.pass(500 * time.Millisecond)
	streak.End(s.now)
	s.cell("").Streaks = evidence.Streaks{"a": streak}
	s.waits(WaitService, "continues by itself once the cause is over")
	s.pass(time.Minute)
	s.want(Resumed, "blip")
	s.want(Stepped, "clean requests")
}

func TestHarmRollsBack(t *testing.T) {
	s := orders(t, "live=50%", "live=90%").replan(func(p *Plan) { p.Guard.Harm = 20 }).begin()
	s.traffic(1000)
	s.cell("").Harm = 19
	s.cell("").Begin(s.m().Epoch, 1)
	if e := Decide(s.state, s.plan, s.counts, s.now); len(e) != 1 || e[0].Kind != Stepped {
		t.Fatalf("with 19: %s", texts(e))
	}
	s.cell("").Harm = 20
	s.want(RolledBack, "20 requests failed at orders in this step, and the plan allows 20")
}

func TestBurningBudgetHolds(t *testing.T) {
	for _, test := range []struct {
		sides  []evidence.Side
		reason string
	}{
		{[]evidence.Side{evidence.Modern}, "orders uses up"},
		{[]evidence.Side{evidence.Legacy}, "monolith uses up"},
		{[]evidence.Side{evidence.Modern, evidence.Legacy}, "both use up"},
	} {
		s := orders(t, "live=10%", "live=50%").begin()
		s.traffic(2000)
		for _, side := range test.sides {
			s.counts.Burn[side].Add(s.now, 100, 100)
		}
		s.want(Held, test.reason)
		s.waits(WaitBurn, "")
		s.pass(80 * time.Hour)
		s.counts.Burn = evidence.Burns{}
		s.want(Resumed, "burn")
		s.want(Stepped, "")
	}
}

func TestNoRollbackWhenBothSidesBurn(t *testing.T) {
	s := orders(t, "live=10%", "live=50%").begin()
	s.bad(evidence.Errors, evidence.Modern, 60)
	s.bad(evidence.Errors, evidence.Legacy, 200)
	for side := range s.counts.Burn {
		s.counts.Burn[side].Add(s.now, 100, 100)
	}
	s.want(Held, "the fault is not the migration's")
	s.pass(time.Second)
	s.waits(WaitBurn, "")
	s.counts.Burn[evidence.Legacy] = evidence.Burn{}
	s.want(RolledBack, "got an error")
}

// A monolith that always fails a little must not keep a broken service in place.
func TestAPoorMonolithIsNoExcuse(t *testing.T) {
	s := orders(t, "live=10%", "live=50%").begin()
	s.bad(evidence.Errors, evidence.Modern, 50)
	s.bad(evidence.Errors, evidence.Legacy, 60)
	for side := range s.counts.Burn {
		s.counts.Burn[side].Add(s.now, 1000, 20)
	}
	e := s.want(RolledBack, "worse by more than half")
	if n, err := Explain(e); err != nil || n != e.Evidence.Records[0].E || e.Evidence.Records[0].Margin != shared {
		t.Errorf("%v %v: %+v", n, err, e.Evidence.Records[0])
	}
}

func TestBrokenAssignmentHolds(t *testing.T) {
	s := orders(t, "live=50%", "live=90%").begin()
	c, m := s.cell(""), s.m()
	for i := range 300 {
		c.Saw(evidence.Key(i), m.Epoch, evidence.Modern)
		c.Epoch(m.Epoch).Requests[evidence.Modern]++
		c.Epoch(m.Epoch).Clean[evidence.Modern]++
	}
	e := s.want(Held, "users are not where the split says")
	if _, err := Explain(e); err != nil {
		t.Error(err)
	}
	s.pass(time.Hour)
	s.waits(WaitResume, "")
	restart, err := Restart(s.state, Command{Migration: "orders", Actor: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	s.apply(restart)
	s.pass(time.Hour)
	s.traffic(300)
	s.want(Stepped, "")
}

func TestSlowMonolithIsNoControl(t *testing.T) {
	s := orders(t, "live=10%", "live=50%").replan(func(p *Plan) { p.Guard.Latency = &LatencyGuard{Quantile: 0.99} }).begin()
	s.traffic(3000)
	s.bad(slowest, evidence.Modern, 100)
	s.bad(slowest, evidence.Legacy, 900)
	s.waits(WaitControl, "monolith itself is slower")
}

func TestSaturatedServiceWaits(t *testing.T) {
	s := orders(t, "live=10%", "live=50%").replan(func(p *Plan) { p.Guard.Saturation = 0.9 }).begin()
	s.traffic(2000)
	s.counts.Load = 0.95
	s.waits(WaitSaturation, "95 %")
	s.counts.Load = 0.5
	s.want(Stepped, "")
}

func TestSyncedDataStopsAtItsLag(t *testing.T) {
	synced := func(p *Plan) {
		p.Data, p.Synced = DataSynced, &Synced{Lag: "http://127.0.0.1/", MaxLag: 5 * time.Second}
	}
	s := orders(t, "live=10%", "live=50%").replan(synced)
	s.waits(WaitLag, "not known")
	s.counts.Lag = evidence.Lag{Known: true, Behind: time.Second}
	s.begin()
	s.traffic(2000)
	s.counts.Lag.Behind = 6 * time.Second
	s.want(Held, "lags behind by 6s")
	s.bad(evidence.Errors, evidence.Modern, 10)
	s.want(Held, "would lose")
	s.waits(WaitResume, "")
	s.counts.Lag.Behind = time.Second
	s.want(RolledBack, "got an error")
}

func TestMovedDataIsNotRolledBackByItself(t *testing.T) {
	s := orders(t, "live=10%", "live=50%").replan(func(p *Plan) { p.Data = DataMoved }).begin()
	s.bad(evidence.Errors, evidence.Modern, 10)
	if e := s.want(Held, "--accept-data-loss"); e.Cause != CauseStuck {
		t.Errorf("%+v", e)
	}
	s.waits(WaitResume, "")
}

func TestFreezeBlocksStepsAndNoRollback(t *testing.T) {
	for name, freeze := range map[string]func(*scene){
		"of all": func(s *scene) { s.apply(Event{Migration: Every, Kind: Frozen, Reason: "sale"}) },
		"of one": func(s *scene) { s.apply(Event{Migration: "orders", Kind: Frozen, Reason: "sale"}) },
		"by plan": func(s *scene) {
			s.replan(func(p *Plan) { p.Freezes = []Freeze{freezing(s.t, "Wed", "Fri", "", "sale")} })
		},
		"of plans": func(s *scene) { s.counts.Plans = []string{"0123456789abcdef", s.plan.Hash()} },
	} {
		s := orders(t, "live=10%", "live=50%").begin()
		s.traffic(2000)
		freeze(s)
		s.counts.At = s.now
		if events := s.decide(); len(events) > 0 {
			t.Errorf("frozen %s: decided %s", name, texts(events))
		}
		s.bad(evidence.Errors, evidence.Modern, 10)
		s.want(RolledBack, "got an error")
	}
	s := orders(t, "live=10%", "live=50%").begin()
	s.traffic(2000)
	s.apply(Event{Migration: Every, Kind: Frozen, Reason: "sale"})
	s.waits(WaitFreeze, "sale")
	s.apply(Event{Migration: Every, Kind: Thawed})
	s.want(Stepped, "")
}

func TestApprovalLetsAStepBegin(t *testing.T) {
	s := orders(t, "live=10%", "live=50%")
	s.replan(func(p *Plan) { p.Steps[1].Approve = true }).begin()
	s.traffic(2000)
	s.waits(WaitApproval, "step 2 of 2")
	e, err := Approve(s.state, Command{Migration: "orders", Actor: "alice"}, s.plan)
	if err != nil {
		t.Fatal(err)
	}
	s.apply(e)
	s.want(Stepped, "")
	if s.m().Approved != 0 {
		t.Error("an approval outlives its step")
	}
}

func TestBlindStepNeedsAnApproval(t *testing.T) {
	s := orders(t, "live=50%", "live=90%").begin()
	s.pass(100 * time.Hour)
	s.traffic(200)
	s.counts.At = s.now
	s.pass(30000 * time.Hour)
	s.waits(WaitApproval, "too few users come")
}

func TestOnlySoManyMoveAtOnce(t *testing.T) {
	s := orders(t, "live=10%", "live=50%").replan(func(p *Plan) { p.AtOnce = 1 })
	s.apply(Event{Migration: "carts", Kind: Created}, Event{Migration: "carts", Kind: Resumed})
	carts := s.plan
	carts.ID = "carts"
	s.apply(Event{Migration: "carts", Kind: Planned, Plan: carts.Hash(), Steps: 2})
	if events := Decide(s.state, carts, s.counts, s.now); len(events) != 0 {
		t.Fatalf("carts: %s", texts(events))
	}
	if r := Waiting(s.state, carts, s.counts, s.now); len(r) != 1 || r[0].For != WaitTurn || !strings.Contains(r[0].Text, "orders came first") {
		t.Errorf("carts waits for %+v", r)
	}
	s.begin()
	s.apply(Event{Migration: "orders", Kind: Held})
	if events := Decide(s.state, carts, s.counts, s.now); len(events) != 1 || events[0].Kind != Stepped {
		t.Errorf("carts, after orders was held: %s", texts(events))
	}
}

func TestWayBackIsSpread(t *testing.T) {
	s := orders(t, "shadow", "live=60%", "live=90%").replan(func(p *Plan) { p.Rollback.Return = time.Minute })
	s.want(Stepped, "")
	s.pass(time.Hour)
	s.traffic(100)
	s.want(Stepped, "")
	s.traffic(100)
	s.bad(evidence.Errors, evidence.Modern, 40)
	first := s.want(Returning, "got an error")
	if first.Split.String() != "live=55% off=45%" || !first.Until.Equal(s.now.Add(time.Minute)) {
		t.Fatalf("%s until %s", first.Split, first.Until)
	}
	s.waits(WaitReturn, "on its way back")
	shares := []int{first.Split.Modern()}
	for range 59 {
		s.pass(time.Second)
		for _, e := range s.decide() {
			if e.Because != s.state.Seq-uint64(len(shares)) {
				t.Errorf("%s follows from event %d", e.Kind, e.Because)
			}
			shares = append(shares, e.Split.Modern())
		}
	}
	if len(shares) != 12 || shares[11] != 0 || s.m().Return != nil || s.m().PastOff() {
		t.Errorf("shares %v, %+v", shares, s.m())
	}
}

func TestOutageCutsTheWayBackShort(t *testing.T) {
	s := orders(t, "live=60%", "live=90%").replan(func(p *Plan) { p.Rollback.Return = time.Minute }).begin()
	s.bad(evidence.Errors, evidence.Modern, 60)
	s.want(Returning, "")
	var streak evidence.Streak
	for i := range 30 {
		streak.Heal(s.now.Add(time.Duration(i)*time.Second), 0)
	}
	s.cell("").Streaks = evidence.Streaks{"a": streak}
	s.want(RolledBack, "outage")
}

func TestRollbackToShadowAndRetry(t *testing.T) {
	s := orders(t, "shadow", "live=10%", "live=50%").replan(func(p *Plan) { p.Rollback = Way{To: Shadow, Retry: time.Hour} })
	s.want(Stepped, "")
	s.pass(time.Hour)
	s.traffic(100)
	for try := range 2 {
		s.want(Stepped, "")
		s.bad(evidence.Errors, evidence.Modern, 10)
		if e := s.want(RolledBack, ""); e.Split.String() != "shadow=100%" {
			t.Fatalf("rolled back to %s", e.Split)
		}
		if try == 1 {
			break
		}
		s.pass(59 * time.Minute)
		s.waits(WaitRetry, "cool-down")
		s.pass(time.Minute)
		if e := s.want(Resumed, "cool-down"); e.Step != 1 || e.Retry != 1 {
			t.Fatalf("%+v", e)
		}
		s.pass(time.Hour)
		s.traffic(100)
	}
	s.pass(24 * time.Hour)
	s.waits(WaitResume, "rolled back")
}

func TestRollbackSaysWhatTheMonolithWillCarry(t *testing.T) {
	s := orders(t, "live=90%", "complete").begin()
	for i := range 30 {
		at := s.now.Add(-time.Duration(i) * time.Minute)
		s.counts.Burn[evidence.Legacy].Add(at, 100, 0)
		s.counts.Burn[evidence.Modern].Add(at, 900, 0)
	}
	s.bad(evidence.Errors, evidence.Modern, 300)
	e := s.want(RolledBack, "rolling back adds 900 requests/min to the monolith (now 100/min; highest 15 minutes of 3 days: 100/min)")
	if l := e.Evidence.Load; l == nil || !l.New() {
		t.Errorf("%+v", l)
	}
}

func TestAutoBeginsByItself(t *testing.T) {
	s := orders(t, "live=10%")
	s.state = State{}
	s.plan.Auto = true
	s.apply(Event{Migration: "orders", Kind: Created, Plan: s.plan.Hash()})
	s.want(Resumed, "by itself")
	s.want(Stepped, "")
}

func TestFullTestIsRenewed(t *testing.T) {
	s := orders(t, "live=50%", "live=90%").begin()
	c, m := s.cell(""), s.m()
	for i := range evidence.Limit {
		c.Count(evidence.Errors, evidence.Key(i), m.Epoch, evidence.Side(i%2))
	}
	s.want(Renewed, "ends undecided")
	if m := s.m(); m.K != 2 || m.Test != s.state.Seq || m.Step != 1 || m.Epoch != s.state.Seq || !m.Began.Before(s.now) {
		t.Errorf("%+v", m)
	}
}

func TestCellsAdvanceInOrderAndGoBackAlone(t *testing.T) {
	s := orders(t, "live=10%", "live=50%")
	s.plan.Cells = []Cell{{Name: "eu"}, {Name: "us"}}
	s.replan(func(*Plan) {})
	s.apply(Event{Migration: "orders", Kind: Resumed})
	count := func(name string, bad int) {
		c, course := s.cell(name), s.m().Course(name)
		for i := range 400 {
			side := evidence.Side(0)
			if i*Buckets/400 < course.Split.Modern() {
				side = evidence.Modern
			}
			c.Saw(evidence.Key(i), course.Epoch, side)
			c.Epoch(course.Epoch).Requests[side] += 10
			c.Epoch(course.Epoch).Clean[side] += 10
		}
		for i := range bad {
			c.Count(evidence.Errors, evidence.Key(i), course.Epoch, evidence.Modern)
		}
	}
	if e := s.want(Stepped, ""); e.Cell != "eu" {
		t.Fatalf("%+v", e)
	}
	s.pass(time.Hour)
	count("eu", 0)
	if e := s.want(Stepped, ""); e.Cell != "eu" || e.Step != 2 {
		t.Fatalf("%+v", e)
	}
	if e := s.want(Stepped, ""); e.Cell != "us" || e.Step != 1 {
		t.Fatalf("%+v", e)
	}
	s.pass(time.Hour)
	count("us", 10)
	if e := s.want(RolledBack, "in cell us"); e.Cell != "us" || e.Evidence.Records[0].Test != 3 {
		t.Fatalf("%+v", e)
	}
	m := s.m()
	if m.Course("eu").Split.Modern() != 50_000 || m.Course("us").PastOff() || m.Course("asia").PastOff() || !m.PastOff() || m.Completed() {
		t.Errorf("%+v", m)
	}
	s.apply(Event{Migration: "orders", Kind: RolledBack, Split: All(Off)})
	if s.m().PastOff() {
		t.Error("a person's rollback leaves a cell behind")
	}
}

func freezing(t *testing.T, from, to, zone, why string) Freeze {
	t.Helper()
	f, err := ParseFreeze(from, to, zone, why)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAServiceThatOftenBeginsTooLateGoesNoFurther(t *testing.T) {
	s := orders(t, "live=50%", "live=90%").begin()
	s.traffic(2000)
	e := s.cell("").Epoch(s.m().Epoch)
	e.Bad = map[evidence.Metric]evidence.Sides{evidence.Slow: {0, 100}}
	s.waits(WaitService, "when fallback gave it up")
	if events := s.decide(); len(events) != 0 {
		t.Errorf("decided %s", texts(events))
	}
}
