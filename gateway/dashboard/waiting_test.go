package dashboard

import (
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

func TestWhatAMigrationWaitsFor(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	plan := &migrations.Plan{Steps: []migrations.Step{
		{Stage: migrations.Shadow, Share: migrations.Buckets, Observations: 1000},
		{Stage: migrations.Live, Share: 1000, Requests: 300, Hold: time.Hour},
		{Stage: migrations.Complete, Share: migrations.Buckets, Approve: true},
	}}
	at := func(step int, ramp migrations.Ramp) migrations.Migration {
		return migrations.Migration{Split: plan.Split(step), Step: step, Ramp: ramp, Since: now.Add(-10 * time.Minute)}
	}
	back := at(0, migrations.RampHeld)
	back.RolledBack = true
	retired := at(1, migrations.RampHeld)
	retired.Retired = true
	for _, test := range []struct {
		name   string
		m      migrations.Migration
		plan   *migrations.Plan
		counts TrafficCounts
		want   map[string]string
	}{
		{"not begun", at(0, migrations.RampIdle), plan, TrafficCounts{}, map[string]string{"resume": "has not begun"}},
		{"no ramp", at(0, migrations.RampIdle), &migrations.Plan{}, TrafficCounts{}, map[string]string{"shift": "no ramp"}},
		{"not in the config", at(1, migrations.RampRunning), nil, TrafficCounts{}, map[string]string{"config": "does not have"}},
		{"held", at(1, migrations.RampHeld), plan, TrafficCounts{}, map[string]string{"resume": "is held"}},
		{"rolled back", back, plan, TrafficCounts{}, map[string]string{"resume": "rolled back"}},
		{"retired", retired, plan, TrafficCounts{}, nil},
		{"before the first step", at(0, migrations.RampRunning), plan, TrafficCounts{}, map[string]string{"step": "step 1 of 3 (shadow=100%) is next"}},
		{"comparing", at(1, migrations.RampRunning), plan, TrafficCounts{Observations: 7}, map[string]string{"observations": "7 of 1000 comparisons"}},
		{"compared", at(1, migrations.RampRunning), plan, TrafficCounts{Observations: 1000}, map[string]string{"step": "step 2 of 3 (live=1% shadow=99%) is next"}},
		{"live", at(2, migrations.RampRunning), plan, TrafficCounts{Modern: SideCounts{Requests: 310, Failed: 20}}, map[string]string{
			"hold": "held for 1h0m0s, 50m0s are left", "requests": "290 of 300 clean requests", "approval": "must approve step 3 of 3 (complete=100%)"}},
		{"complete", at(3, migrations.RampRunning), plan, TrafficCounts{}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			found := waiting(test.m, test.plan, &test.counts, now)
			if len(found) != len(test.want) {
				t.Errorf("%+v", found)
			}
			for _, w := range found {
				contains(t, w.Text, test.want[w.For])
				if w.For == "hold" && !w.Until.Equal(now.Add(50*time.Minute)) {
					t.Errorf("until %s", w.Until)
				}
			}
		})
	}
}

func TestHowLongAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "just now", 3 * time.Second: "3 s ago", 119 * time.Second: "119 s ago", 5 * time.Minute: "5 min ago", 26 * time.Hour: "26 h ago",
	} {
		if text := ago(d); text != want {
			t.Errorf("%s: %s", d, text)
		}
	}
}
