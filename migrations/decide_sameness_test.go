package migrations

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations/compare"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// byDefault turns everything on that the config turns on by default.
func byDefault(p *Plan) {
	p.Guard.Outcomes, p.Guard.Latency = true, &LatencyGuard{Quantile: 0.99, WorseBy: 1}
	p.Guard.AtMost, p.Guard.Findings, p.Guard.HarmBeyond = 0.01, FindingsCritical, true
	p.Compare.Sample = 1
}

// compared counts so many users whose first comparison agreed or not.
func (s *scene) compared(agreed, differed int) {
	c, course := s.cell(""), s.m().Course("")
	for i := range agreed + differed {
		side := evidence.Legacy
		c.Observed.Sampled++
		if i >= agreed {
			side = evidence.Modern
			c.Observed.Mismatch++
		} else {
			c.Observed.Match++
		}
		c.Count(evidence.Mismatches, evidence.KeyOf(fmt.Sprint("compared", s.now, i)), course.Epoch, side)
	}
}

// endpoint counts requests of an endpoint.
func (s *scene) endpoint(name string, legacy, modern, failed uint64) {
	e := s.cell("").At(name)
	for i := range uint64(evidence.Groups) {
		e.Requests[evidence.Legacy][i] += legacy / evidence.Groups
		e.Requests[evidence.Modern][i] += modern / evidence.Groups
		e.Failed[evidence.Modern][i] += failed / evidence.Groups
		e.Clean[i] += (modern - failed) / evidence.Groups
	}
	answer := func(side evidence.Side, ok bool, n uint64) {
		for i := range n {
			e.Answer(ok, evidence.Vote{Key: evidence.KeyOf(fmt.Sprint(side, ok, i)), Epoch: s.m().Epoch, Side: side})
		}
	}
	answer(evidence.Legacy, true, min(legacy, 200))
	answer(evidence.Modern, false, min(failed, 200))
	answer(evidence.Modern, true, min(modern-failed, 200))
}

// law 15: forward needs sameness, with confidence.
func TestNoStepOnAnswersThatDiffer(t *testing.T) {
	for _, c := range []struct {
		name             string
		agreed, differed int
		want             string // of the reason; empty: the step is taken
	}{
		{"all differ", 0, 183, "answers differ for 183 of 183 users"},
		{"too few to tell", 100, 0, "100 of 299 users whose requests were compared"},
		{"enough, and the same", 299, 0, ""},
		{"one differs, and more are needed", 398, 1, "399 of 473 users whose requests were compared, of which 1 differ"},
		{"one differs of enough", 472, 1, ""},
		{"2 % differ", 980, 20, "answers differ for 20 of 1000 users"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := orders(t, "live=50%", "live=90%").replan(byDefault).begin()
			s.traffic(1000)
			s.cell("").Observed = evidence.Observations{}
			s.compared(c.agreed, c.differed)
			if c.want == "" {
				s.want(Stepped, "")
				return
			}
			s.waits(WaitSameness, c.want)
		})
	}
}

func TestWhereNothingCanBeComparedNothingIsAsked(t *testing.T) {
	s := orders(t, "live=50%", "live=90%").replan(byDefault).begin()
	s.traffic(1000)
	s.cell("").Observed = evidence.Observations{}
	s.want(Stepped, "")
}

// Comparisons of earlier steps of the same ramp count, and those of this step
// must not contradict them.
func TestComparisonsOfEarlierStepsStand(t *testing.T) {
	s := orders(t, "shadow", "live=50%", "live=90%").replan(byDefault).begin()
	s.traffic(1000)
	s.cell("").Turn = s.m().Turn
	s.compared(500, 0)
	s.want(Stepped, "")
	s.pass(time.Hour)
	c := s.counts.Cells[""].Next(s.m().Test, s.m().Split.Modern(), 0, s.m().Turn, false)
	s.counts.Cells[""] = c
	s.traffic(1000)
	s.compared(10, 0)
	if c := s.cell("").Compared(false); c.Keys != 510 {
		t.Fatalf("%+v", c)
	}
	s.pass(time.Second)
	s.compared(0, 20)
	s.waits(WaitSameness, "answers differ for 20 of 530 users")
}

func TestAnEndpointThatFailsHoldsTheRampAndIsNamed(t *testing.T) {
	s := orders(t, "live=50%", "live=90%").replan(byDefault).begin()
	s.traffic(3000)
	s.compared(400, 0)
	s.endpoint("GET /a", 1600, 1600, 0)
	for i := range 10 { // too few for a rollback
		side := evidence.Side(i % 2)
		if i > 7 {
			side = evidence.Modern
		}
		s.cell("").At("POST /b").Answer(side == evidence.Legacy, evidence.Vote{Key: evidence.KeyOf(fmt.Sprint("b", i)), Epoch: s.m().Epoch, Side: side})
	}
	s.waits(WaitEndpoint, "orders fails at POST /b (6 of 6 users failed there at first, 0 of 4 at monolith)")
}

func TestAnEndpointThatWasNeverAskedIsNamed(t *testing.T) {
	s := orders(t, "live=50%", "live=90%").replan(byDefault).begin()
	s.traffic(3000)
	s.compared(400, 0)
	s.endpoint("GET /a", 1600, 1600, 0)
	s.endpoint("DELETE /b/{id}", 320, 0, 0)
	s.endpoint("GET /rare", 16, 0, 0) // too little traffic to matter
	s.waits(WaitEndpoint, "DELETE /b/{id} (9 % of the requests) was never asked")
	for _, r := range Waiting(s.state, s.plan, s.counts, s.now) {
		if strings.Contains(r.Text, "/rare") {
			t.Error(r.Text)
		}
	}
	s.endpoint("DELETE /b/{id}", 0, 160, 0)
	s.want(Stepped, "")
}

func TestAServiceThatDeniesEverybodyIsRolledBack(t *testing.T) {
	for metric, text := range map[evidence.Metric]string{
		evidence.Redirects: "were redirected", evidence.Denied: "were denied access", evidence.Missing: "got 404 or 410",
		evidence.Rejected: "had a request rejected", evidence.GRPC: "had a gRPC call rejected",
	} {
		s := orders(t, "live=50%", "live=90%").replan(byDefault).begin()
		s.traffic(100)
		s.bad(metric, evidence.Modern, 30)
		e := s.want(RolledBack, "30 users "+text)
		if !strings.Contains(e.Reason, "from orders, 0 from monolith, at half the traffic each") || e.Evidence.Records[0].Metric != metric {
			t.Errorf("%s by %s", e.Reason, e.Evidence.Records[0].Metric)
		}
		if got, err := Explain(e); err != nil || got != e.Evidence.Records[0].E {
			t.Errorf("%s: %v, %v", metric, got, err)
		}
	}
	// One 404 more on both sides speaks against neither.
	s := orders(t, "live=50%", "live=90%").replan(byDefault).begin()
	s.traffic(1000)
	s.bad(evidence.Missing, evidence.Modern, 200)
	s.bad(evidence.Missing, evidence.Legacy, 200)
	if events := s.decide(); len(events) > 0 && events[0].Kind == RolledBack {
		t.Error(texts(events))
	}
}

// law 12: nobody is sent into an outage.
func TestNobodyIsSentIntoAnOutage(t *testing.T) {
	s := orders(t, "live=50%", "live=90%").replan(byDefault).replan(func(p *Plan) { p.Guard.Mismatches = 0.01 }).begin()
	s.traffic(100)
	s.bad(evidence.Mismatches, evidence.Modern, 20) // a rollback is due
	s.bad(evidence.Errors, evidence.Legacy, 40)     // and the monolith fails
	s.counts.Burn[evidence.Legacy].Add(s.now, 40, 40)
	e := s.want(Held, "monolith fails now, so no user is sent back to it (40 users got an error from monolith, 0 from orders)")
	if e.Cause != CauseControl || e.Evidence.Control == nil || !e.Evidence.Control.Reversed {
		t.Errorf("%+v", e)
	}
	if _, err := Explain(e); err != nil {
		t.Error(err)
	}
	s.waits(WaitControl, "monolith")
	s.pass(3 * time.Minute) // it recovers, and is better now
	s.counts.Burn[evidence.Legacy].Add(s.now.Add(-30*time.Second), 100, 0)
	s.want(RolledBack, "the answers of orders and monolith differ")
}

// A monolith that has recovered must not blind the test, and one that always
// fails a little must neither end it again and again nor keep a service in place.
func TestAMonolithThatHasRecoveredBeginsTheNextTest(t *testing.T) {
	s := orders(t, "live=50%", "live=90%").replan(byDefault).begin()
	s.traffic(100)
	s.bad(evidence.Errors, evidence.Legacy, 60)
	s.counts.Burn[evidence.Legacy].Add(s.now, 60, 60)
	s.want(Held, "monolith")
	s.pass(3 * time.Minute)
	s.counts.Burn = evidence.Burns{}
	s.counts.Burn[evidence.Legacy].Add(s.now.Add(-3*time.Minute), 100, 60)
	s.counts.Burn[evidence.Legacy].Add(s.now.Add(-30*time.Second), 100, 0)
	s.want(Renewed, "monolith failed during the test and has recovered")

	s = orders(t, "live=50%", "live=90%").replan(byDefault).begin()
	s.traffic(100)
	s.bad(evidence.Errors, evidence.Legacy, 60)
	s.counts.Burn[evidence.Legacy].Add(s.now, 4000, 60)
	if events := s.decide(); len(events) > 0 && events[0].Kind == Renewed {
		t.Errorf("1.5 %% of failures: %s", texts(events))
	}
	s.bad(evidence.Missing, evidence.Modern, 60)
	s.want(RolledBack, "60 users got 404 or 410")
}

// law 13: the monolith must not look bad by the doing of one client network.
func TestOneNetworkDoesNotKeepAServiceInPlace(t *testing.T) {
	s := orders(t, "live=50%", "live=90%").replan(byDefault).begin()
	s.counts.SeveralAt = s.now.Unix() / 3600
	s.traffic(100)
	vote := func(network evidence.Network, side evidence.Side, n int) {
		c := s.cell("")
		for i := range n {
			c.Vote(evidence.Errors, evidence.Vote{Key: evidence.KeyOf(fmt.Sprint(network, side, i)), Epoch: s.m().Epoch, Side: side, Network: network, At: s.now, Several: true})
		}
	}
	vote(1, evidence.Legacy, 500)
	for network := range evidence.Network(8) {
		vote(10+network, evidence.Modern, 5)
	}
	s.want(RolledBack, "users got an error from orders")
}

func TestASevereFindingHoldsTheRampUntilAPersonActs(t *testing.T) {
	s := orders(t, "live=50%", "live=90%").replan(byDefault).begin()
	s.traffic(1000)
	s.compared(400, 0)
	s.counts.Findings = []evidence.OpenFinding{{ID: "1a2b", Severity: int(compare.Critical), Text: "GET /a: another status"}}
	e := s.want(Held, "open finding: GET /a: another status (1a2b); fix, accept or acknowledge it: ficus findings orders")
	if e.Cause != CauseFinding {
		t.Errorf("%+v", e)
	}
	s.pass(time.Hour)
	s.waits(WaitFinding, "GET /a")
	s.counts.Findings[0].Severity = int(compare.High) // less than the plan asks for
	s.want(Resumed, "finding")
	s.replan(func(p *Plan) { p.Guard.Findings = FindingsHigh })
	s.want(Held, "GET /a")
	s.counts.Findings = nil
	s.pass(time.Hour)
	s.want(Resumed, "finding")
	s.counts.Findings = []evidence.OpenFinding{{ID: "1a2b", Severity: int(compare.Critical), Alone: true, Text: "GET /a"}}
	s.counts.SeveralAt = s.now.Unix() / 3600
	if events := s.decide(); len(events) > 0 && events[0].Kind == Held {
		t.Errorf("what one client network found holds the ramp: %s", texts(events))
	}
}

// At 95 % the split test is slow to see writes that fail, and nothing compares
// them. That the few users who are left on the monolith are answered well says as
// much as that those of the service are not.
func TestWritesThatFailAreSeenAtAGreatShare(t *testing.T) {
	at95 := func() *scene {
		s := orders(t, "live=95%", "complete").replan(byDefault).replan(func(p *Plan) { p.Steps[0].Hold = 24 * time.Hour }).begin()
		s.traffic(2000)
		return s
	}
	answers := func(s *scene, side evidence.Side, ok bool, n int) {
		for i := range n {
			s.cell("").At("POST /orders").Answer(ok, evidence.Vote{Key: evidence.KeyOf(fmt.Sprint(side, ok, i)), Epoch: s.m().Epoch, Side: side})
		}
	}
	s := at95()
	answers(s, evidence.Modern, false, 120)
	answers(s, evidence.Legacy, true, 6)
	e := s.want(RolledBack, "at first 120 of 120 users on POST /orders got no good answer from orders, 0 of 6 from monolith")
	if e.Cause != CauseTest || e.Evidence.Records[0].Metric != evidence.Harm {
		t.Errorf("%+v", e)
	}
	if got, err := Explain(e); err != nil || got != e.Evidence.Records[0].E {
		t.Error(got, err)
	}
	s = at95() // a database that both share fails the writes of both
	answers(s, evidence.Modern, false, 120)
	answers(s, evidence.Legacy, false, 6)
	if events := s.decide(); len(events) > 0 && events[0].Kind == RolledBack {
		t.Error(texts(events))
	}
}

func TestPairsDecideAtAnyShare(t *testing.T) {
	for _, share := range []string{"live=1%", "live=50%", "live=95%"} {
		s := orders(t, share, "complete").replan(byDefault).replan(func(p *Plan) { p.Steps[0].Hold = 24 * time.Hour }).begin()
		s.traffic(200)
		s.bad(evidence.Pairs, evidence.Modern, 14)
		if events := s.decide(); len(events) > 0 && events[0].Kind == RolledBack {
			t.Errorf("at %s 14 pairs are enough: %s", share, texts(events))
		}
		s.bad(evidence.Pairs, evidence.Modern, 16)
		s.want(RolledBack, "of 16 requests, asked of both, orders failed 16 that monolith answered, and answered 0 that monolith failed")
	}
}
