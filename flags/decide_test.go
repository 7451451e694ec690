package flags

import (
	"testing"

	"github.com/open-feature/go-sdk/openfeature"
	"pgregory.net/rapid"

	"github.com/ficus-gateway/ficus/migrations"
)

func ramp(t testing.TB, shares ...string) migrations.Split {
	t.Helper()
	parsed, err := migrations.ParseShares(shares...)
	if err != nil {
		t.Fatal(err)
	}
	split, err := migrations.NewSplit(parsed...)
	if err != nil {
		t.Fatal(err)
	}
	return split
}

func TestDecide(t *testing.T) {
	staff := &migrations.Cohort{Name: "staff", Stage: migrations.Live}
	for name, c := range map[string]struct {
		plan   migrations.Plan
		state  *migrations.Migration
		facts  facts
		stage  migrations.Stage
		reason openfeature.Reason
	}{
		"unknown to the log":           {state: nil, facts: facts{bucket: 0, cohort: staff, trusted: true}, stage: "off", reason: "DEFAULT"},
		"retired in the log":           {state: &migrations.Migration{Retired: true, Split: ramp(t, "live")}, facts: facts{bucket: 0}, stage: "off", reason: "DISABLED"},
		"retired in the config":        {plan: migrations.Plan{Retired: true}, state: &migrations.Migration{Split: ramp(t, "complete")}, facts: facts{bucket: 0}, stage: "off", reason: "DISABLED"},
		"in the share":                 {state: &migrations.Migration{Split: ramp(t, "live=5%", "shadow=95%")}, facts: facts{bucket: 4999}, stage: "live", reason: "SPLIT"},
		"beyond the share":             {state: &migrations.Migration{Split: ramp(t, "live=5%", "shadow=95%")}, facts: facts{bucket: 5000}, stage: "shadow", reason: "SPLIT"},
		"one stage for all":            {state: &migrations.Migration{Split: ramp(t, "live")}, facts: facts{bucket: 7}, stage: "live", reason: "STATIC"},
		"no split at all":              {state: &migrations.Migration{}, facts: facts{bucket: 7}, stage: "off", reason: "STATIC"},
		"complete":                     {state: &migrations.Migration{Split: ramp(t, "complete")}, facts: facts{bucket: 7}, stage: "complete", reason: "STATIC"},
		"complete, no key":             {state: &migrations.Migration{Split: ramp(t, "complete")}, facts: facts{bucket: keyless}, stage: "complete", reason: "STATIC"},
		"complete, cohort":             {state: &migrations.Migration{Split: ramp(t, "complete")}, facts: facts{bucket: 7, cohort: &migrations.Cohort{Stage: "off"}, trusted: true}, stage: "complete", reason: "STATIC"},
		"almost complete, no key":      {state: &migrations.Migration{Split: ramp(t, "complete=99.999%")}, facts: facts{bucket: keyless}, stage: "off", reason: "DEFAULT"},
		"no key, off":                  {state: &migrations.Migration{Split: ramp(t, "off")}, facts: facts{bucket: keyless}, stage: "off", reason: "DEFAULT"},
		"no key, some live":            {state: &migrations.Migration{Split: ramp(t, "live=50%")}, facts: facts{bucket: keyless}, stage: "off", reason: "DEFAULT"},
		"no key, all at dualwrite":     {state: &migrations.Migration{Split: ramp(t, "dualwrite")}, facts: facts{bucket: keyless}, stage: "dualwrite", reason: "DEFAULT"},
		"no key, all beyond dualwrite": {state: &migrations.Migration{Split: ramp(t, "live=5%", "dualwrite=95%")}, facts: facts{bucket: keyless}, stage: "dualwrite", reason: "DEFAULT"},
		"no key, all at shadow":        {state: &migrations.Migration{Split: ramp(t, "shadow")}, facts: facts{bucket: keyless}, stage: "shadow", reason: "DEFAULT"},
		"no key, all live":             {state: &migrations.Migration{Split: ramp(t, "live")}, facts: facts{bucket: keyless}, stage: "shadow", reason: "DEFAULT"},
		"no key, all at rampdown":      {state: &migrations.Migration{Split: ramp(t, "rampdown")}, facts: facts{bucket: keyless}, stage: "shadow", reason: "DEFAULT"},
		"cohort, trusted":              {state: &migrations.Migration{Split: ramp(t, "off")}, facts: facts{bucket: 7, cohort: staff, trusted: true}, stage: "live", reason: "TARGETING_MATCH"},
		"cohort, trusted, no key":      {state: &migrations.Migration{Split: ramp(t, "off")}, facts: facts{bucket: keyless, cohort: staff, trusted: true}, stage: "live", reason: "TARGETING_MATCH"},
		"law 11: cohort, not trusted":  {state: &migrations.Migration{Split: ramp(t, "off")}, facts: facts{bucket: 7, cohort: staff}, stage: "off", reason: "STATIC"},
		"cohort after a rollback":      {state: &migrations.Migration{Split: ramp(t, "off"), RolledBack: true}, facts: facts{bucket: 7, cohort: staff, trusted: true}, stage: "off", reason: "STATIC"},
	} {
		stage, reason := decide(&c.plan, c.state, c.facts)
		if stage != c.stage || reason != c.reason {
			t.Errorf("%s: %s %s, want %s %s", name, stage, reason, c.stage, c.reason)
		}
	}
}

// Without a key the monolith answers until the migration is complete, and a
// request is never further than the last of those with a key.
func TestWithoutAKeyTheMonolithAnswers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		state := &migrations.Migration{Split: splits(t, "split")}
		stage, _ := decide(&migrations.Plan{}, state, facts{bucket: keyless})
		for _, safe := range []bool{true, false} {
			side := (&migrations.Plan{Writes: migrations.WritesFollow}).Place(stage, safe)
			if side == migrations.Modern && !state.Completed() {
				t.Fatalf("%s: a keyless request is at %s", state.Split, stage)
			}
		}
		if last := state.Split.At(migrations.Buckets - 1); stage.Rank() > last.Rank() {
			t.Fatalf("%s: a keyless request is at %s, bucket 99,999 at %s", state.Split, stage, last)
		}
	})
}

func TestAnOutsideAnswerIsConfined(t *testing.T) {
	for name, c := range map[string]struct {
		answer migrations.Stage
		state  *migrations.Migration
		key    string
		want   migrations.Stage
	}{
		"as answered":         {"live", &migrations.Migration{Split: ramp(t, "off")}, "k", "live"},
		"unknown":             {"live", nil, "k", "off"},
		"retired":             {"live", &migrations.Migration{Retired: true}, "k", "off"},
		"rolled back":         {"live", &migrations.Migration{RolledBack: true, Split: ramp(t, "off")}, "k", "off"},
		"complete stays":      {"off", &migrations.Migration{Split: ramp(t, "complete")}, "k", "complete"},
		"keyless, live":       {"live", &migrations.Migration{Split: ramp(t, "off")}, "", "off"},
		"keyless, complete":   {"complete", &migrations.Migration{Split: ramp(t, "off")}, "", "off"},
		"keyless, dualwrite":  {"dualwrite", &migrations.Migration{Split: ramp(t, "off")}, "", "dualwrite"},
		"on its way back":     {"live", &migrations.Migration{RolledBack: true, Split: ramp(t, "live=5%", "shadow=50%")}, "k", "shadow"},
		"rolled back, shadow": {"complete", &migrations.Migration{RolledBack: true, Split: ramp(t, "shadow")}, "k", "shadow"},
		"rolled back, less":   {"dualwrite", &migrations.Migration{RolledBack: true, Split: ramp(t, "shadow")}, "k", "dualwrite"},
	} {
		if got := confine(c.answer, &migrations.Plan{}, c.state, c.key); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
