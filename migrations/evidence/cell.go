package evidence

import (
	"cmp"
	"maps"
	"slices"
)

// A Cell is what is known of one cell of a migration: the counts of its
// present test, and how its service fares. A migration without cells has one.
//
// A Cell belongs to one goroutine. Copies share what they hold; see
// [Cell.Clone].
type Cell struct {
	Test     uint64              `json:"test"`              // seq of the event that began the test; an older test's counts are dropped by a merge
	Epochs   []Epoch             `json:"epochs,omitempty"`  // of the test, by seq
	Bad      map[Metric]*Keys    `json:"bad,omitempty"`     // keys by their first bad event, at most one per metric
	Seen     Keys                `json:"seen,omitzero"`     // keys by their first request, until full: for the sample-ratio check
	Active   Keys                `json:"active,omitzero"`   // keys on the service, the first [ActiveLimit]
	Began    int64               `json:"began,omitempty"`   // log time from which the step is held, in Unix microseconds
	Earlier  uint64              `json:"earlier,omitempty"` // clean requests on the service in tests of the same step that were full
	Observed Observations        `json:"observed,omitzero"` // comparisons in the step
	Harm     uint64              `json:"harm,omitempty"`    // requests on the service that failed for the user, fallback and all
	Spans    map[Metric][]string `json:"spans,omitempty"`   // span contexts of bad requests on the service, sorted, up to [SpanLimit] each
	Streaks  Streaks             `json:"streaks,omitempty"` // consecutive failures by gateway
	First    map[Metric]int64    `json:"first,omitempty"`   // when the first bad event on the service was, in Unix milliseconds by the clock of the gateway that saw it

	Taus      Taus                 `json:"taus_ns,omitzero"`    // what slow means, as far as it became known in the test
	Turn      uint64               `json:"turn,omitempty"`      // event with which the ramp began to run
	Endpoints map[string]*Endpoint `json:"endpoints,omitempty"` // by method and path template
	HarmBy    ByGroup              `json:"harm_by,omitzero"`    // of Harm, by group of client networks
	CleanBy   ByGroup              `json:"clean_by,omitzero"`   // of Clean on the service, by group of client networks
	Prior     Compared             `json:"prior,omitzero"`      // comparisons by key in earlier tests of the ramp
	Aside     uint64               `json:"aside,omitempty"`     // failures of this test that fallback healed in a blip, and that are not held against the service
	Blameless uint64               `json:"blameless,omitempty"` // failures of this test on the service that the monolith shared
}

// ActiveLimit is the number of active keys beyond which they are not counted.
const ActiveLimit = 64

// FewKeys is the number of active keys on the service below which the guard
// sees too little: the ramp holds, and says so.
const FewKeys = 10

// SpanLimit is the greatest number of span contexts that a decision links to.
const SpanLimit = 32

// NewCell returns a cell whose test begins with the event of seq test, which
// gives the service share of 100,000 buckets.
func NewCell(test uint64, share int) *Cell {
	c := &Cell{Test: test}
	c.Begin(test, share)
	return c
}

// Next returns a cell whose next test begins, without the counts of the last.
// If it is of the same step, which began at that time, the last one was full:
// what the step has shown stands, or a step that many people see would never
// have shown enough.
//
// Of the same ramp, which began with the event turn, comparisons and what is
// known of endpoints stand.
func (c *Cell) Next(test uint64, share int, began int64, turn uint64, several bool) *Cell {
	next := NewCell(test, share)
	next.Began, next.Streaks, next.Turn = began, maps.Clone(c.Streaks), turn
	if began != 0 && began == c.Began {
		next.Earlier, next.Observed, next.Harm, next.CleanBy, next.HarmBy = c.Clean(), c.Observed, c.Harm, c.CleanBy, c.HarmBy
	}
	if turn != 0 && turn == c.Turn {
		next.Prior = c.Compared(several)
	}
	next.Endpoints = nextEndpoints(c.Endpoints)
	return next
}

// Begin adds an epoch to the test and returns it. An epoch that the test
// already has stays as it is.
func (c *Cell) Begin(epoch uint64, share int) *Epoch {
	i, ok := c.find(epoch)
	if !ok {
		c.Epochs = slices.Insert(c.Epochs, i, Epoch{Seq: epoch, Share: share})
	}
	return &c.Epochs[i]
}

// Epoch returns the epoch of that seq, nil if the test does not have it: its
// outcome came after the test, and belongs to none.
func (c *Cell) Epoch(seq uint64) *Epoch {
	if i, ok := c.find(seq); ok {
		return &c.Epochs[i]
	}
	return nil
}

func (c *Cell) find(seq uint64) (int, bool) {
	return slices.BinarySearchFunc(c.Epochs, seq, func(e Epoch, s uint64) int { return cmp.Compare(e.Seq, s) })
}

// Saw counts a key that its hash placed on a side: for the sample-ratio check
// once per test, and among the active ones.
func (c *Cell) Saw(key Key, epoch uint64, side Side) {
	c.Meet(Vote{Key: key, Epoch: epoch, Side: side})
}

// Meet is Saw for a key whose network is known.
func (c *Cell) Meet(v Vote) {
	if c.Epoch(v.Epoch) == nil {
		return
	}
	c.Seen.Meet(v)
	if f := c.Active.networks[v.Network]; v.Several && f != nil && f.total().Sum() >= FewKeys/2 {
		return // more of one network say nothing more
	}
	if v.Side == Modern && c.Active.Len() < ActiveLimit {
		c.Active.Meet(v)
	}
}

// Kept counts a key that its hash placed on a side and that a journey keeps on
// the other: for the sample-ratio check alone, which is about the hash. Nothing
// else of such a request is evidence.
func (c *Cell) Kept(v Vote) {
	if c.Epoch(v.Epoch) != nil {
		c.Seen.Meet(v)
	}
}

// Count counts an event of a metric for a key that its hash placed on a side,
// and reports whether it did: only the first event of a key counts in a test,
// and none once [Limit] is reached. Keyless requests and those that a cohort
// placed must not come here.
func (c *Cell) Count(m Metric, key Key, epoch uint64, side Side) bool {
	return c.Vote(m, Vote{Key: key, Epoch: epoch, Side: side})
}

// Vote is Count for a key whose network is known.
func (c *Cell) Vote(m Metric, v Vote) bool {
	if c.Epoch(v.Epoch) == nil {
		return false
	}
	c.first(m, v)
	keys := c.Bad[m]
	if keys == nil {
		if c.Bad == nil {
			c.Bad = make(map[Metric]*Keys)
		}
		keys = new(Keys)
		c.Bad[m] = keys
	}
	switch {
	case m == Mismatches: // those that agree are in it as well
		return keys.Meet(v)
	case m.growing() && keys.Len() >= growingLimit:
		return false
	}
	return keys.Vote(v)
}

// growingLimit is the number of keys that a set takes in that grows with every
// key.
const growingLimit = 1 << 13

// VoteFirst counts a key of a metric by its first answer.
func (c *Cell) VoteFirst(m Metric, v Vote) bool { return c.Vote(m.first(), v) }

// VoteAt counts an event of a metric at an endpoint, which is one of c.
func (c *Cell) VoteAt(e *Endpoint, m Metric, v Vote) {
	if c.Epoch(v.Epoch) != nil {
		e.vote(m, v)
	}
}

// Link keeps the span context of a bad request on the service and reports
// whether there was room: the trace of one that is kept must be kept as well.
func (c *Cell) Link(m Metric, span string) bool {
	i, known := slices.BinarySearch(c.Spans[m], span)
	if known || len(c.Spans[m]) >= SpanLimit {
		return false
	}
	if c.Spans == nil {
		c.Spans = make(map[Metric][]string)
	}
	c.Spans[m] = slices.Insert(c.Spans[m], i, span)
	return true
}

// Full reports whether a metric has counted as many keys as a test takes: the
// test ends undecided, and the next begins. Sets of first answers, which grow
// with every key, only stop.
func (c *Cell) Full() bool {
	for m, keys := range c.Bad {
		if keys.Full() && !m.growing() {
			return true
		}
	}
	return false
}

// Few reports whether too few keys are active on the service. Where several
// networks are known, half of them at most may be one network's.
func (c *Cell) Few(several bool) bool { return c.ActiveKeys(several) < FewKeys }

// ActiveKeys returns the number of keys that [Cell.Few] looks at.
func (c *Cell) ActiveKeys(several bool) uint64 {
	if !several {
		return uint64(c.Active.Len())
	}
	n := uint64(0)
	for _, sides := range c.Active.ByNetwork() {
		n += min(sides.Sum(), FewKeys/2)
	}
	return n
}

// CleanOf returns [Cell.Clean] as far as it counts toward a number that is
// needed: half of that at most may come from one group of networks.
func (c *Cell) CleanOf(need uint64, several bool) uint64 {
	if !several {
		return c.Clean()
	}
	return c.CleanBy.Capped((need + 1) / 2)
}

// Requests returns the test's requests by side, of keys placed by their hash.
func (c *Cell) Requests() Sides {
	var sum Sides
	for _, e := range c.Epochs {
		sum = sum.plus(e.Requests)
	}
	return sum
}

// Clean returns the step's requests on the service without a bad event, to be
// held against [CleanSample].
func (c *Cell) Clean() uint64 {
	sum := c.Earlier
	for _, e := range c.Epochs {
		sum += e.Clean[Modern]
	}
	return sum
}

// Samples returns what a guard is decided from, by epoch.
func (c *Cell) Samples(g Guard) []Sample {
	keys := c.Bad[g.Metric]
	if g.Metric == Ratio {
		keys = &c.Seen
	}
	return c.samples(g, keys)
}

func (c *Cell) samples(g Guard, keys *Keys) []Sample {
	out := make([]Sample, 0, len(c.Epochs))
	for _, e := range c.Epochs {
		s := Sample{Epoch: e.Seq, W: g.w(e.Share)}
		if keys != nil {
			n := keys.In(e.Seq)
			s.Service, s.Legacy = n[Modern], n[Legacy]
		}
		out = append(out, s)
	}
	return out
}

// Past returns a copy of the epochs of the test, without the people.
func (c *Cell) Past() []Epoch { return mergeEpochs(c.Epochs, nil) }

// Clone returns a copy that shares nothing with c.
func (c *Cell) Clone() *Cell { return mergeCells(c, &Cell{}) }

// CloneAfter is Clone for who clones again and again: before is the last clone
// of c, which nobody has changed, and is shared where c holds the same. For
// Seen, which only the sample-ratio check reads, and grows by one for each
// person, a little less is the same: a check is as good a moment ago.
func (c *Cell) CloneAfter(before *Cell) *Cell {
	if before == nil || before.Test != c.Test {
		return c.Clone()
	}
	light := *c
	light.Seen, light.Bad, light.Endpoints = Keys{}, nil, nil
	out := light.Clone()
	if out.Seen = before.Seen; c.Seen.Len()-before.Seen.Len() > before.Seen.Len()/64 {
		out.Seen = c.Seen.Clone()
	}
	out.Bad = cloneKeys(c.Bad, before.Bad)
	if c.Endpoints != nil {
		out.Endpoints = make(map[string]*Endpoint, len(c.Endpoints))
		for name, e := range c.Endpoints {
			out.Endpoints[name] = e.clone(before.Endpoints[name])
		}
	}
	return out
}

// mergeCells returns the counts of both, of the newer test if they differ.
func mergeCells(a, b *Cell) *Cell {
	streaks := mergeStreaks(a.Streaks, b.Streaks)
	switch {
	case a.Test < b.Test:
		a = &Cell{}
	case a.Test > b.Test:
		b = &Cell{}
	}
	out := &Cell{
		Test:     max(a.Test, b.Test),
		Epochs:   mergeEpochs(a.Epochs, b.Epochs),
		Seen:     a.Seen.Clone(),
		Active:   a.Active.Clone(),
		Began:    max(a.Began, b.Began),
		Earlier:  a.Earlier + b.Earlier,
		Observed: a.Observed.plus(b.Observed),
		Harm:     a.Harm + b.Harm,
		Streaks:  streaks,

		Taus:      a.Taus.greater(b.Taus),
		Turn:      max(a.Turn, b.Turn),
		Endpoints: mergeEndpoints(a.Endpoints, b.Endpoints),
		CleanBy:   a.CleanBy.plus(b.CleanBy),
		HarmBy:    a.HarmBy.plus(b.HarmBy),
		Prior:     Compared{a.Prior.Keys + b.Prior.Keys, a.Prior.Differed + b.Prior.Differed},
		Aside:     a.Aside + b.Aside,
		Blameless: a.Blameless + b.Blameless,
	}
	out.Seen.Merge(b.Seen)
	out.Active.Merge(b.Active)
	for _, from := range []*Cell{a, b} {
		for m, keys := range from.Bad {
			if keys == nil {
				continue
			}
			if out.Bad == nil {
				out.Bad = make(map[Metric]*Keys)
			}
			if out.Bad[m] == nil {
				out.Bad[m] = new(Keys)
			}
			out.Bad[m].Merge(*keys)
		}
		for m, at := range from.First {
			out.began(m, at)
		}
		for m, spans := range from.Spans {
			if out.Spans == nil {
				out.Spans = make(map[Metric][]string)
			}
			out.Spans[m] = mergeSpans(out.Spans[m], spans)
		}
	}
	return out
}

// mergeSpans returns the union, or the smallest [SpanLimit] of it: trace ids
// are random, so that the smallest are as good as any, and the order of
// merging does not matter.
func mergeSpans(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(len(all), SpanLimit)]
}
