package migrations

import (
	"fmt"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// goBack answers a verdict: by a way back, or by a hold where none is of use or
// the data forbids it.
func (v view) goBack() (Event, bool) {
	c := v.course
	found := v.judgement()
	if found.cause == "" || c.Return != nil && found.cause == CauseTest { // on its way already
		return Event{}, false
	}
	hold := Event{Kind: Held, Cause: found.cause, Reason: found.reason, Evidence: found.evidence}
	blaze := v.counts.Burn.Judge(v.plan.objective(), v.now, v.several())
	control, failing := v.control()
	switch why := v.stuck(); {
	case c.Split.Modern() == 0: // nobody is on the service: there is nothing to take back
		hold.Reason += "; no user is on " + v.plan.To + ". When it is fixed: ficus restart " + v.plan.ID
		return hold, c.Ramp == RampRunning
	case why != "":
		hold.Cause, hold.Reason = CauseStuck, why+"; "+found.reason
		return hold, c.Ramp == RampRunning || c.Cause != CauseStuck
	case failing && found.cause != CauseOutage: // nobody is sent into an outage (law 12)
		hold.Cause = CauseControl
		hold.Reason = fmt.Sprintf("%s fails now, so no user is sent back to it (%s); meanwhile %s", v.plan.From, v.plan.reverseText(control), found.reason)
		hold.Evidence.Control = &control
		return hold, c.Ramp == RampRunning || c.Cause != CauseControl
	case blaze == evidence.BothHot && found.cause != CauseOutage: // in an outage the monolith answers, so it is not both
		worse, ok := v.muchWorse()
		if !ok {
			hold.Cause, hold.Reason = CauseBurn, fmt.Sprintf("%s and %s both fail too often, so the fault is not the migration's and nothing is rolled back; %s", v.plan.From, v.plan.To, found.reason)
			return hold, c.Ramp == RampRunning
		}
		found = worse
	}
	return v.wayBack(found), true
}

// stuck says why a rollback must not happen by itself; empty if it may.
func (v view) stuck() string {
	switch {
	case v.plan.Data == DataMoved:
		return "the data has moved, so a rollback needs a person's consent: ficus rollback " + v.plan.ID + " --accept-data-loss"
	case v.plan.Behind(v.counts.Lag) != "":
		return v.plan.Behind(v.counts.Lag) + ", so a rollback would lose writes that " + v.plan.From + " does not have yet"
	}
	return ""
}

// slice is the least time between two parts of a way back.
const slice = 5 * time.Second

// parts returns in how many parts the way back is spread.
func parts(spread time.Duration) int {
	return int(min(max((spread+slice-1)/slice, 1), 12))
}

// wayBack returns the first event of a rollback, the only one if it is not
// spread. Where requests fail now there is no time to spread anything.
func (v view) wayBack(found verdict) Event {
	load := WayBack(v.counts, v.m, v.now)
	found.evidence.Load = &load
	e := Event{Kind: RolledBack, Cause: found.cause, Reason: "rolled back automatically: " + found.reason, Evidence: found.evidence, Split: v.target(v.course.Split)}
	if load.Coming > 0 {
		e.Reason += "; " + load.String()
	}
	if n := parts(v.plan.Rollback.Return); n > 1 && found.cause == CauseTest && v.m.Outside == nil { // a flag of somebody else cannot be taken back in parts
		e.Kind, e.Until = Returning, v.now.Add(v.plan.Rollback.Return).UTC().Truncate(time.Microsecond)
		e.Split = v.part(v.course.Split, 1, n)
	}
	return e
}

// comeBack takes the next part of a way back when it is due. The parts follow
// from the event that began it, so that every gateway comes to the same.
func (v view) comeBack() (Event, bool) {
	r := v.course.Return
	if r == nil {
		return Event{}, false
	}
	n := parts(r.Until.Sub(r.Since))
	i := 1
	for i < n && !v.now.Before(r.Since.Add(r.Until.Sub(r.Since)*time.Duration(i)/time.Duration(n))) {
		i++
	}
	e := Event{Kind: Returning, Cause: v.course.Cause, Because: r.Because, Until: r.Until, Split: v.part(r.From, i, n),
		Reason: fmt.Sprintf("part %d of %d of the way back", i, n)}
	if i == n {
		e.Kind, e.Until = RolledBack, time.Time{}
		e.Reason = "the way back is over"
		return e, true
	}
	return e, !e.Split.Equal(v.course.Split) && !e.Split.Beyond(v.course.Split)
}

// part returns the split after part i of n of the way back from a split.
func (v view) part(from Split, i, n int) Split {
	to := v.target(from)
	shares := make([]Share, 0, len(from)+1)
	freed := 0
	for _, s := range from {
		if s.Stage.Rank() >= Live.Rank() {
			kept := s.Buckets * (n - i) / n
			freed += s.Buckets - kept
			shares = append(shares, Share{s.Stage, kept})
		}
	}
	kept := from.Modern() - freed
	for _, s := range to { // those who stay are among the first, and come out of the first share of the target
		took := min(kept, s.Buckets)
		kept -= took
		shares = append(shares, Share{s.Stage, s.Buckets - took})
	}
	split, err := NewSplit(shares...)
	if err != nil {
		return to
	}
	return split
}

// target returns what a rollback leaves of a split: nobody on the service,
// and nobody further than before.
func (v view) target(from Split) Split {
	if v.plan.Rollback.To != Shadow {
		return All(Off)
	}
	shares := []Share{{Shadow, from.Modern() + from.Share(Shadow)}, {DualWrite, from.Share(DualWrite)}}
	split, err := NewSplit(shares...)
	if err != nil {
		return All(Off)
	}
	return split
}
