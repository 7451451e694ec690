package shadow

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

func TestAnAcceptedRuleCountsAtOnceUntilItEndsAndOutlivesTheProcess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ficus.findings")
	s, w := watching(t, file)
	now := time.Now()
	rule := compare.Rule{Do: compare.Ignore, Path: "$.total", Owner: "alice", Until: now.Add(time.Hour)}
	if err := w.Accept([]compare.Rule{{Do: compare.Ignore, Path: "$.total"}}, now); err == nil {
		t.Error("a rule without an end was accepted")
	}
	if err := w.Accept([]compare.Rule{{Do: compare.Tolerance, Path: "$.x", With: "nonsense", Until: rule.Until}}, now); err == nil || len(w.judge.rules.Active()) != 0 {
		t.Errorf("a wrong rule was accepted: %v", err)
	}
	for range 2 { // twice is once
		if err := w.Accept([]compare.Rule{rule}, now); err != nil {
			t.Fatal(err)
		}
	}
	if active := w.judge.rules.Active(); len(active) != 1 || active[0].Owner != "alice" {
		t.Errorf("%+v", active)
	}
	if err := s.Save(file); err != nil {
		t.Fatal(err)
	}
	_, again := watching(t, file)
	if got := again.Accepted(now); len(got) != 1 || !got[0].Until.Equal(rule.Until) || len(again.judge.rules.Active()) != 1 {
		t.Errorf("after a restart: %+v", got)
	}
	again.Sweep(now.Add(2*time.Hour), time.Hour)
	if got := again.Accepted(now.Add(2 * time.Hour)); len(got) != 0 || len(again.judge.rules.Active()) != 0 {
		t.Errorf("after its end: %+v", got)
	}
	if !w.Withdraw(rule, now) || w.Withdraw(rule, now) || len(w.judge.rules.Active()) != 0 {
		t.Error("it could not be taken back, or twice")
	}
}

func TestAcceptedRulesComeOnTopOfThoseOfTheConfigAndAreBounded(t *testing.T) {
	s, w := watching(t, "")
	now := time.Now()
	until := now.Add(time.Hour)
	if err := w.Accept([]compare.Rule{{Do: compare.Ignore, Path: "$.a", Until: until}}, now); err != nil {
		t.Fatal(err)
	}
	plan := &migrations.Plan{ID: "orders", From: "monolith", To: "orders", Compare: migrations.Compare{Sample: 1, Rules: []compare.Rule{{Do: compare.Ignore, Path: "$.b"}}}}
	if _, err := s.Watch(plan, nil); err != nil { // a reload
		t.Fatal(err)
	}
	if active := w.judge.rules.Active(); len(active) != 2 {
		t.Errorf("%+v", active)
	}
	var many []compare.Rule
	for i := range maxAccepted + 1 {
		many = append(many, compare.Rule{Do: compare.Ignore, Path: "$.x" + string(rune('a'+i%26)) + string(rune('a'+i/26)), Until: until})
	}
	if err := w.Accept(many, now); err == nil || len(w.Accepted(now)) != 1 {
		t.Errorf("%d rules are accepted: %v", len(w.Accepted(now)), err)
	}
}
