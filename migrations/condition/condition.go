// Package condition finds out which requests go wrong: the smallest condition,
// of one or two features, that tells bad requests from good ones.
//
// A claim is made only if the evidence for it survives the number of
// conditions that were tried: the exact test of Fisher, with a bound on all of
// them together of [Level] (Bonferroni). Users are counted, not requests: of
// each user one bad request and one good request speak, so that a user with a
// thousand requests makes nothing look true.
//
//	f := condition.Find(samples)
//	fmt.Println(f.Text) // only requests with the cookie cart: 14 of 14 users got status 500; 0 of 320 without it
//
// The package is pure: the same samples give the same finding.
package condition

import "strings"

// Level is the chance that a finding names any condition at all where none
// tells bad from good.
const Level = 0.01

// Limits of one search. What is beyond them is left out, the oldest first.
const (
	MaxSamples  = 1024 // samples that are looked at
	MaxFeatures = 96   // features that are tried; those that divide the samples most evenly
)

// A Sample is one request.
type Sample struct {
	Features []string // as "kind=value" or "kind:name", for example "method=POST" and "cookie:cart"
	Bad      bool
	Outcome  string // what its user met, after "users": "got status 500"; of bad requests only
	User     uint64 // whose request it is; 0: of a user of its own
	At       int64  // when, on any scale that grows; 0: not known
	Weight   int    // requests that it stands for, itself included; 0: 1
	Goods    uint64 // good requests by then, whether they are samples or not; 0 in all: not known
}

// A Verdict says what a [Finding] found.
type Verdict uint8

// The verdicts.
const (
	Nothing    Verdict = iota // no request is bad
	Alike                     // bad requests are like good ones, or too few to say more
	Everything                // nearly every request is bad: an outage, which has no condition
	Condition                 // a condition tells them apart
)

func (v Verdict) String() string {
	return [...]string{"nothing", "alike", "everything", "condition"}[v]
}

// A Count is users by what became of their requests.
type Count struct {
	Bad  int // at least one was bad
	Good int // none that was seen was bad
}

func (c Count) all() int { return c.Bad + c.Good }

// A Finding is what [Find] found. The zero Finding says that nothing is bad.
type Finding struct {
	Verdict  Verdict
	Features []string // of the condition, one or two; "!cookie:cart" is a request without it
	Inside   Count    // users with requests that meet the condition; without one, all users
	Outside  Count    // users with requests that do not
	P        float64  // chance of so clear a difference under this one condition, if nothing differs
	Tried    int      // conditions that were tried
	Sampled  bool     // good requests are a sample, so that the shares are greater than they are in truth
	Text     string   // for people; empty: nothing is bad
}

// Met reports whether a request with these features meets the condition of the
// finding. Every request does if there is none.
func (f Finding) Met(features []string) bool {
	for _, want := range f.Features {
		name, without := strings.CutPrefix(want, "!")
		has := false
		for _, have := range features {
			has = has || have == name
		}
		if has == without {
			return false
		}
	}
	return true
}

// Find returns the smallest condition that tells bad samples from good ones.
func Find(samples []Sample) Finding {
	if len(samples) > MaxSamples {
		samples = samples[len(samples)-MaxSamples:]
	}
	t := tableOf(samples)
	if t.bad.count() == 0 {
		return Finding{}
	}
	since, outage := outageOf(samples)
	if outage && t.bad.count() < t.n { // what was good before it began is not what still works
		if late := tableOf(samples[since:]); late.bad.count() > 0 {
			t = late
		}
	}
	f, ok := t.search()
	switch {
	case ok:
		f.Verdict = Condition
	case outage:
		f.Verdict = Everything
	default:
		f.Verdict = Alike
	}
	if !ok {
		f.Inside = t.census(func(int) bool { return true })
	}
	f.Sampled = t.sampled
	f.Text = f.say(t)
	return f
}

// outageShare is the share of bad requests from which on nothing works.
const outageShare = 0.9

// outageLeast is how many bad requests in a row make it one, where others were
// good before.
const outageLeast = 5

// outageOf reports whether nearly every request is bad by now, and from which
// sample on: that in the middle of the bad ones. Samples whose time is not
// known are taken to have come at the same time.
func outageOf(samples []Sample) (since int, outage bool) {
	total := 0
	for i := range samples {
		if samples[i].Bad {
			total++
		}
	}
	timed := len(samples) > 0 && samples[0].At != 0
	bad, good, ill, any := 0.0, 0.0, 0, false
	var before, after uint64 // good requests counted by then
	for i, seen := 0, 0; i < len(samples); i++ {
		s := &samples[i]
		any = any || !s.Bad
		after = max(after, s.Goods)
		if s.Bad {
			seen++
		}
		if timed && seen*2 < total {
			continue
		}
		if since == 0 && timed {
			since, before = i, s.Goods
		}
		if weight := float64(max(s.Weight, 1)); s.Bad {
			bad += weight
			ill++
		} else {
			good += weight
		}
	}
	if after > 0 { // a count knows more than a sample
		good = float64(after - min(before, after))
	}
	return since, ill > 0 && bad >= outageShare*(bad+good) && (!any || ill >= outageLeast)
}
