package migrations

import (
	"testing"

	"pgregory.net/rapid"
)

// ramp makes a plan of steps such as "live=5%".
func ramp(steps ...string) (p Plan) {
	for _, step := range steps {
		named, err := ParseShares(step)
		if err != nil {
			panic(err)
		}
		p.Steps = append(p.Steps, Step{Stage: named[0].Stage, Share: named[0].Buckets})
	}
	return p
}

func TestStepLeavesTheOthersAtTheStageBefore(t *testing.T) {
	plan := ramp("shadow=50%", "shadow", "live=1%", "live=50%", "rampdown", "complete=10%", "complete")
	for step, want := range []string{
		"off=100%", "shadow=50% off=50%", "shadow=100%", "live=1% shadow=99%", "live=50% shadow=50%",
		"rampdown=100%", "complete=10% rampdown=90%", "complete=100%",
	} {
		if got := plan.Split(step).String(); got != want {
			t.Errorf("step %d is %s, want %s", step, got, want)
		}
	}
	for _, step := range []int{-1, 8} {
		if got := plan.Split(step); !got.Equal(All(Off)) {
			t.Errorf("step %d, which does not exist, is %s", step, got)
		}
	}
}

func TestRampMovesNobodyBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// A ramp as the config allows it: each stage rises, and reaches everyone before the next.
		var plan Plan
		for _, stage := range Stages[1:] {
			if !rapid.Bool().Draw(t, "uses "+string(stage)) {
				continue
			}
			for share := 0; share < Buckets; {
				share = rapid.IntRange(share+1, Buckets).Draw(t, "share")
				if rapid.Bool().Draw(t, "all") {
					share = Buckets
				}
				plan.Steps = append(plan.Steps, Step{Stage: stage, Share: share})
			}
		}
		for step := 1; step <= len(plan.Steps); step++ {
			before, after := plan.Split(step-1), plan.Split(step)
			for _, bucket := range edges(before, after) {
				if after.At(bucket).Rank() < before.At(bucket).Rank() {
					t.Fatalf("from step %d, %s, to %s: bucket %d moves back", step-1, before, after, bucket)
				}
			}
			if at := plan.StepAt(after); at != step {
				t.Fatalf("at %s, the split of step %d, the ramp stands at step %d", after, step, at)
			}
		}
		now := splits().Draw(t, "split")
		if at := plan.StepAt(now); plan.Split(at).Beyond(now) || at < len(plan.Steps) && !plan.Split(at+1).Beyond(now) {
			t.Fatalf("at %s the ramp stands at step %d of %v", now, at, plan.Steps)
		}
	})
}

func TestResumeGoesOnAtTheLastStepNotBeyondTheSplit(t *testing.T) {
	plan := ramp("shadow", "live=1%", "live=10%", "live=50%", "complete")
	for text, want := range map[string]int{
		"off": 0, "shadow=99%": 0, "shadow": 1, "live=1% shadow=98% off=1%": 0, "live=5% shadow=95%": 2,
		"live=10% shadow=90%": 3, "live": 4, "complete": 5,
	} {
		if got := plan.StepAt(split(t, text)); got != want {
			t.Errorf("at %s the ramp stands at step %d, want %d", text, got, want)
		}
	}
}
