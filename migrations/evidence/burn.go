package evidence

import (
	"slices"
	"time"
)

// A Burn is the requests and failures of one side of a whole route over the
// last three days: by the minute for an hour, by the quarter of an hour beyond.
// The zero value is empty and ready.
type Burn struct {
	Minutes  Series `json:"minutes,omitempty"`
	Quarters Series `json:"quarters,omitempty"`
}

// Burns are the burns of both sides, by [Side].
type Burns [2]Burn

const (
	minute      = time.Minute
	quarter     = 15 * time.Minute
	keepMinutes = 61      // an hour, and the minute under way
	keepQuarter = 288 + 1 // three days, and the quarter under way
)

// Objective is the share of requests that succeed by default, over 30 days.
const Objective = 0.9995

// Add counts requests that ended at a time, bad of them failed.
func (b *Burn) Add(at time.Time, requests, bad uint64) {
	b.add(at, Slot{Requests: requests, Bad: bad})
}

// AddFrom is Add for a client of one network whose failures may be of its own
// making: one of several networks, or a key that was never answered well.
func (b *Burn) AddFrom(at time.Time, requests, bad uint64, from Network) {
	n := Slot{Requests: requests, Bad: bad}
	if bad > 0 {
		n.From = new(ByGroup)
		n.From[from.Group()] = bad
	}
	b.add(at, n)
}

func (b *Burn) add(at time.Time, n Slot) {
	n.At = slotOf(at, minute)
	b.Minutes.add(n, keepMinutes)
	n.At = slotOf(at, quarter)
	b.Quarters.add(n, keepQuarter)
}

// Merge adds what another gateway counted.
func (b *Burn) Merge(o Burn) {
	b.Minutes = b.Minutes.merged(o.Minutes, keepMinutes)
	b.Quarters = b.Quarters.merged(o.Quarters, keepQuarter)
}

// Rate returns how many times as fast as the objective allows a window burns
// the error budget: 1 uses it up in exactly 30 days. A window reaches from now
// back to the beginning of its first minute, or of its first quarter of an
// hour if it is longer than an hour. Without requests it is 0.
func (b Burn) Rate(window time.Duration, objective float64, now time.Time) float64 {
	all := b.in(window, now)
	return burnRate(all.Requests, all.Bad, objective)
}

func burnRate(requests, bad uint64, objective float64) float64 {
	if requests == 0 || !(objective < 1) {
		return 0
	}
	return float64(bad) / float64(requests) / (1 - objective)
}

// Last returns the requests and failures of a window, as [Burn.Rate] has it.
// Where clients of several networks are known, the failures of the group of
// networks that adds most to them are left out.
func (b Burn) Last(window time.Duration, now time.Time, several bool) (requests, bad uint64) {
	all := b.in(window, now)
	if several && all.From != nil {
		all.Bad -= min(slices.Max(all.From[:]), all.Bad)
	}
	return all.Requests, all.Bad
}

// in returns what was counted in a window.
func (b Burn) in(window time.Duration, now time.Time) Slot {
	series, slot := b.Minutes, minute
	if window > time.Hour {
		series, slot = b.Quarters, quarter
	}
	to := slotOf(now, slot)
	return series.sum(to-int64(window/slot), to)
}

// A Pace is a burn rate that is too fast if two windows agree: the long one
// says that it matters, the short one that it still goes on.
type Pace struct {
	Factor      float64
	Long, Short time.Duration
	Page        bool // hold the ramp and page somebody; otherwise only say so
}

// Paces are those of Google's Site Reliability Workbook, chapter 5, "Alerting
// on SLOs", and one of a day: in their long windows they use 2, 5, 10 and 10 %
// of the budget of 30 days. The fastest comes first. Callers must not change it.
var Paces = []Pace{
	{14.4, time.Hour, 5 * time.Minute, true},
	{6, 6 * time.Hour, 30 * time.Minute, true},
	{3, 24 * time.Hour, 2 * time.Hour, false},
	{1, 72 * time.Hour, 6 * time.Hour, false},
}

// FewFailures is the number of failures below which a window tells no rate: one
// request of twenty is no fire.
const FewFailures = 10

// Burning returns the fastest pace that a side exceeds, and whether there is
// one. several says that clients of several networks are known; then those of
// one group of networks alone never exceed any (law 13).
func (b Burn) Burning(objective float64, now time.Time, several bool) (Pace, bool) {
	hot := func(window time.Duration, factor float64) bool {
		requests, bad := b.Last(window, now, several)
		if from := b.in(window, now).From; !several && from != nil {
			bad -= min(from.Sum(), bad)
		}
		return bad >= FewFailures && burnRate(requests, bad, objective) >= factor
	}
	i := slices.IndexFunc(Paces, func(p Pace) bool { return hot(p.Long, p.Factor) && hot(p.Short, p.Factor) })
	if i < 0 {
		return Pace{}, false
	}
	return Paces[i], true
}

// A Blaze says which sides burn the budget so fast that the ramp must hold.
type Blaze string

// What the burn rates of both sides say together.
const (
	Calm      Blaze = ""
	ModernHot Blaze = "modern" // hold; the test decides about more
	LegacyHot Blaze = "legacy" // hold: no time to change anything
	BothHot   Blaze = "both"   // hold, and do not roll back: the fault is not the migration's
)

// Judge returns which sides burn at a pace that pages.
func (b Burns) Judge(objective float64, now time.Time, several bool) Blaze {
	hot := func(s Side) bool {
		pace, ok := b[s].Burning(objective, now, several)
		return ok && pace.Page
	}
	switch modern, legacy := hot(Modern), hot(Legacy); {
	case modern && legacy:
		return BothHot
	case modern:
		return ModernHot
	case legacy:
		return LegacyHot
	default:
		return Calm
	}
}
