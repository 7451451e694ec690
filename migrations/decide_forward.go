package migrations

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// MaxLive is the greatest share that a ramp gives to [Live], so that a control
// remains.
const MaxLive = Buckets / 100 * 95

// LeastClean is the number of clean requests, or of comparisons, without which
// no step is left, whatever the plan asks for: fewer than 5 % are bad, with 95 %
// confidence.
var LeastClean = uint64(evidence.CleanSample(0.05, evidence.Confidence))

// Waiting returns what the migration of p waits for. None: it has arrived, or
// there is no such migration.
func Waiting(s State, p Plan, counts evidence.Counts, now time.Time) []Reason {
	var out []Reason
	for _, v := range views(s, p, counts, now) {
		for _, r := range v.waiting() {
			r.Cell = v.eventCell()
			out = append(out, r)
		}
	}
	return out
}

func (v view) waiting() []Reason {
	c := v.course
	at, retries := v.retry()
	switch {
	case c.Completed():
		return nil
	case c.Return != nil:
		return []Reason{{For: WaitReturn, Text: "it is on its way back to the monolith", Until: c.Return.Until}}
	case retries:
		return append(v.standing(), Reason{For: WaitRetry, Text: "it was rolled back, and begins again by itself after a cool-down", Until: at})
	case c.RolledBack:
		return []Reason{{For: WaitResume, Text: "rolled back; to continue: ficus resume " + v.plan.ID}}
	case v.m.Outside != nil:
		return []Reason{{For: WaitFlag, Text: v.m.Outside.Source + " decides by its flag"}}
	case len(v.plan.Steps) == 0:
		return []Reason{{For: WaitShift, Text: "manual (no ramp configured)"}}
	case c.Ramp == RampHeld && c.Cause.passes():
		out := append(v.standing(), v.trouble(v.now.Add(-settle))...)
		return append(out, Reason{For: waitFor[c.Cause], Text: "the ramp is held (" + string(c.Cause) + ") and continues by itself once the cause is over, after a minute at the earliest", Until: c.Stopped.Add(settle)})
	case c.Ramp == RampHeld:
		return []Reason{{For: WaitResume, Text: "the ramp is held; to continue: ficus resume " + v.plan.ID}}
	case c.Ramp != RampRunning && v.plan.Auto && !c.PastOff():
		return append(v.standing(), Reason{For: WaitStep, Text: "its ramp begins by itself"})
	case c.Ramp != RampRunning:
		return []Reason{{For: WaitResume, Text: "the ramp has not begun; to begin: ficus resume " + v.plan.ID}}
	case c.Step >= len(v.plan.Steps):
		return nil
	}
	if missing := v.missing(); len(missing) > 0 {
		return missing
	}
	return []Reason{{For: WaitStep, Text: v.next() + " is next"}}
}

var waitFor = map[Cause]Wait{CauseBlip: WaitService, CauseBurn: WaitBurn, CauseLag: WaitLag, CauseControl: WaitControl, CauseFinding: WaitFinding}

func (v view) next() string {
	n := v.course.Step + 1
	return fmt.Sprintf("step %d of %d (%s)", n, len(v.plan.Steps), v.plan.Split(n))
}

// missing returns what the next step waits for.
func (v view) missing() []Reason {
	out := v.standing()
	out = append(out, v.turn()...)
	out = append(out, v.trouble(v.course.Began)...)
	if v.course.Step > 0 {
		out = append(out, v.unproven()...)
	}
	return append(out, v.ahead()...)
}

// standing returns what makes any ramp stand still.
func (v view) standing() []Reason {
	var out []Reason
	hash := v.plan.Hash()
	if v.m.Plan != hash || slices.ContainsFunc(v.counts.Plans, func(p string) bool { return p != hash }) {
		out = append(out, Reason{For: WaitConfig, Text: "not all gateways have the same plan; until they do it may only go backward"})
	}
	for _, why := range []string{v.state.Frozen, v.m.Frozen} {
		if why != "" {
			out = append(out, Reason{For: WaitFreeze, Text: "ramps are frozen: " + why})
		}
	}
	for _, f := range v.plan.Freezes {
		if f.Holds(v.now) {
			out = append(out, Reason{For: WaitFreeze, Text: "ramps are frozen " + f.String()})
		}
	}
	return out
}

// turn returns what goes first: the migrations that began to move before this
// one, as many as may move at once, and the cells before this one.
func (v view) turn() []Reason {
	var out []Reason
	if n := v.plan.AtOnce; n > 0 {
		var before []string
		for _, id := range v.state.IDs() {
			if turn := v.state.Migrations[id].turn(); id != v.m.ID && turn > 0 && turn < v.m.turn() {
				before = append(before, id)
			}
		}
		if len(before) >= n {
			out = append(out, Reason{For: WaitTurn, Text: fmt.Sprintf("%d at once may move, and %s came first", n, strings.Join(before, ", "))})
		}
	}
	if v.course.Step > 0 {
		return out
	}
	for _, name := range order(v.m, v.plan) {
		if name == v.name {
			break
		}
		if c := v.m.Course(name); !c.Completed() && c.Step < len(v.plan.Steps) {
			return append(out, Reason{For: WaitTurn, Text: fmt.Sprintf("cell %s goes first", name)})
		}
	}
	return out
}

// turn returns the event with which a migration that moves began to; 0 if it
// does not move. The log orders them, so that no two gateways disagree.
func (m Migration) turn() uint64 {
	first := uint64(0)
	for _, name := range m.CellNames() {
		if c := m.Course(name); c.Ramp == RampRunning && !c.arrived() && (first == 0 || c.Turn < first) {
			first = c.Turn
		}
	}
	return first
}

// trouble returns what is wrong with the world since a time.
func (v view) trouble(since time.Time) []Reason {
	var out []Reason
	switch v.counts.Burn.Judge(v.plan.objective(), v.now, v.several()) {
	case evidence.ModernHot:
		out = append(out, Reason{For: WaitBurn, Text: v.plan.To + " uses up the error budget too fast"})
	case evidence.LegacyHot:
		out = append(out, Reason{For: WaitBurn, Text: v.plan.From + " uses up the error budget too fast, so this is no time for a change"})
	case evidence.BothHot:
		out = append(out, Reason{For: WaitBurn, Text: v.plan.From + " and " + v.plan.To + " both use up the error budget too fast, so the fault is not the migration's"})
	}
	if r, worse := v.control(); worse {
		out = append(out, Reason{For: WaitControl, Text: v.plan.From + " is the side that fails: " + v.plan.reverseText(r)})
	}
	out = append(out, v.findings()...)
	if why := v.plan.Behind(v.counts.Lag); why != "" {
		out = append(out, Reason{For: WaitLag, Text: why})
	}
	if fault, streak := v.streaks().Judge(v.plan.Guard.Blip, v.several()); fault != evidence.Sound {
		out = append(out, Reason{For: WaitService, Text: fmt.Sprintf("%s failed the last %s, and %s answered them in its place%s", v.plan.To, requestsText(streak.Healed), v.plan.From, v.patience())})
	} else if b := v.cell.Streaks.Blip(); b.Healed > 0 && (b.Many || !v.several()) && b.To >= since.UnixMilli() && !since.IsZero() {
		out = append(out, Reason{For: WaitService, Text: fmt.Sprintf("a blip: %s failed %s within %s, as in a restart, and %s answered all of them; they are kept aside and not held against it", v.plan.To, requestsText(b.Healed), roundTime(time.Duration(b.To-b.From)*time.Millisecond), v.plan.From)})
	}
	if limit := v.plan.Guard.Saturation; limit > 0 && v.counts.Load >= limit {
		out = append(out, Reason{For: WaitSaturation, Text: fmt.Sprintf("%.0f %% of the capacity of %s is in use", 100*v.counts.Load, v.plan.To)})
	}
	return out
}

// patience says how long failures like those of a restart are kept aside.
func (v view) patience() string {
	if v.plan.Guard.Blip <= 0 {
		return ""
	}
	return fmt.Sprintf("; failures like those of a restart are kept aside for up to %s", v.plan.Guard.Blip)
}

// ahead returns what stands against the next step itself.
func (v view) ahead() []Reason {
	c := v.course
	next := c.Step + 1
	if next > len(v.plan.Steps) {
		return nil
	}
	split, step := v.plan.Split(next), v.plan.Steps[next-1]
	var out []Reason
	switch {
	case c.Split.Beyond(split) || !split.Beyond(c.Split):
		out = append(out, Reason{For: WaitShift, Text: fmt.Sprintf("%s does not lead forward from %s; shift it by hand", v.next(), c.Split)})
	case split.Share(Live) > 0 && !split.Control():
		out = append(out, Reason{For: WaitShift, Text: v.next() + " would leave no control; a ramp gives 95% to live at most"})
	}
	switch {
	case c.Approved == next:
	case step.Approve:
		out = append(out, Reason{For: WaitApproval, Text: "a person must approve " + v.next()})
	case v.blind(next):
		out = append(out, Reason{For: WaitApproval, Text: "at " + v.next() + " too few users come for the guard to see even an outage within a week, so a person must approve it"})
	}
	return out
}

// blind reports whether the guard would see nothing at a step: by the people
// of the last week, or where they are not known, or come to another cell, by
// those of this step.
func (v view) blind(step int) bool {
	if usual, known := v.counts.Usual(v.now); known && len(v.m.Cells) == 0 {
		return See(v.plan, step, usual, v.m.Tests+1, v.counts.Gateways).Blind
	}
	took := v.now.Sub(v.course.Began).Hours()
	people := float64(v.cell.Seen.Len())
	if split := v.plan.Split(step); !v.known || people == 0 || took <= 0 || split.Modern() == 0 || split.Modern() == Buckets {
		return false
	}
	requests := float64(v.cell.Requests().Sum())
	s := See(v.plan, step, evidence.Traffic{Hourly: people / took, PerKey: requests / people}, v.m.Tests+1, v.counts.Gateways)
	return s.Blind
}
