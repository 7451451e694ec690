package migrations

import (
	"slices"
	"testing"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// What a person is shown is what the guard decides from.
func TestWeighingShowsWhatDecides(t *testing.T) {
	s := orders(t, "live=5%", "live=50%")
	s.decide()
	if w := Weigh(s.state, s.plan, evidence.Counts{}, s.now); len(w) != 1 || w[0].Known || len(w[0].Records) != 2 || w[0].Counts == nil || w[0].Records[0].E > 1 {
		t.Errorf("nobody counted, and it weighs %+v", w)
	}
	s.traffic(1000)
	s.bad(evidence.Errors, evidence.Modern, 6)
	w := Weigh(s.state, s.plan, s.counts, s.now)
	if len(w) != 1 || !w[0].Known || w[0].Cell != "" || w[0].Ratio.Metric != evidence.Ratio {
		t.Fatalf("%+v", w)
	}
	events := s.decide()
	if len(events) != 1 || events[0].Kind != RolledBack {
		t.Fatalf("decided %+v", events)
	}
	decided := events[0].Evidence.Records[0]
	i := slices.IndexFunc(w[0].Records, func(r evidence.Record) bool { return r.Metric == decided.Metric })
	if shown := w[0].Records[i]; shown.E != decided.E || shown.Threshold != decided.Threshold || !shown.Trips() {
		t.Errorf("shown %s, decided by %s", shown, decided)
	}
	if w := Weigh(s.state, s.plan, s.counts, s.now); len(w[0].Records) != 0 {
		t.Errorf("no test runs after a rollback, and it weighs %+v", w)
	}
}

func TestCellsAreWeighedEachForItself(t *testing.T) {
	s := orders(t, "live=50%").replan(func(p *Plan) { p.Cells = []Cell{{Name: "eu"}, {Name: "as"}} })
	var names []string
	for _, w := range Weigh(s.state, s.plan, evidence.Counts{}, s.now) {
		names = append(names, w.Cell)
	}
	if !slices.Equal(names, []string{"eu", "as", Rest}) {
		t.Errorf("weighed %v", names)
	}
}
