package flags

import (
	"github.com/open-feature/go-sdk/openfeature"

	"github.com/ficus-gateway/ficus/migrations"
)

// facts are what a decision depends on besides the plan and the state.
type facts struct {
	bucket  int                // keyless if there is no targeting key
	cohort  *migrations.Cohort // first cohort whose conditions hold; nil if none
	trusted bool               // the conditions were stated by a trusted proxy
}

// decide returns the stage of one request and OpenFeature's reason for it. The
// variant of a stage has the stage's name.
//
//   - A migration that the log does not know, or that is retired, is at off.
//   - A migration that is complete for everybody is complete, key or no key,
//     cohort or no cohort: the service is then the side that is known to work.
//   - A cohort counts only on the word of a trusted proxy (law 11) and not
//     after a rollback, until the migration is resumed.
//   - A request without a key stays on the monolith; see [unkeyed].
//   - Everything else goes by its bucket.
func decide(plan *migrations.Plan, state *migrations.Migration, f facts) (migrations.Stage, openfeature.Reason) {
	switch {
	case state == nil:
		return migrations.Off, openfeature.DefaultReason
	case state.Retired || plan.Retired:
		return migrations.Off, openfeature.DisabledReason
	case state.Completed():
		return migrations.Complete, openfeature.StaticReason
	case f.cohort != nil && f.trusted && !state.RolledBack:
		return f.cohort.Stage, openfeature.TargetingMatchReason
	case f.bucket == keyless:
		return unkeyed(state.Split), openfeature.DefaultReason
	case len(state.Split) < 2:
		return state.Split.At(f.bucket), openfeature.StaticReason
	}
	return state.Split.At(f.bucket), openfeature.SplitReason
}

// unkeyed returns the stage of a request without a targeting key while the
// migration is not complete: the least advanced stage that any bucket has, and
// never one at which the service answers. So it takes part in double writes
// and comparisons once everybody does, without which double writes would
// have holes, but is never in the test.
func unkeyed(split migrations.Split) migrations.Stage {
	least := migrations.Off
	if n := len(split); n > 0 {
		least = split[n-1].Stage // most advanced first
	}
	if least.Rank() > migrations.Shadow.Rank() {
		return migrations.Shadow
	}
	return least
}

// known returns the stage at which the side that is known to work answers
// (law 4): off, until the migration is complete.
func known(state *migrations.Migration) migrations.Stage {
	if state != nil && !state.Retired && state.Completed() {
		return migrations.Complete
	}
	return migrations.Off
}

// confine holds the answer of an outside provider to what the state allows:
// complete stays complete, nothing moves that the log does not know or that
// has been rolled back, and without a key the monolith answers.
func confine(stage migrations.Stage, plan *migrations.Plan, state *migrations.Migration, key string) migrations.Stage {
	switch {
	case state == nil || state.Retired || plan.Retired:
		return migrations.Off
	case state.Completed():
		return migrations.Complete
	case state.RolledBack:
		return atMost(stage, state.Split)
	case key == "" && stage.Rank() > migrations.Shadow.Rank():
		return migrations.Off
	}
	return stage
}

// atMost returns stage, or what a rollback has left of a split if that is less
// advanced.
func atMost(stage migrations.Stage, split migrations.Split) migrations.Stage {
	for _, share := range split { // the most advanced first
		if share.Stage.Rank() > migrations.Shadow.Rank() {
			continue // on its way back
		}
		if stage.Rank() > share.Stage.Rank() {
			return share.Stage
		}
		return stage
	}
	return migrations.Off
}
