package outside

import (
	"sync/atomic"
)

// counts are the evaluations so far, by how they were answered.
type counts struct {
	asked      atomic.Uint64 // by the provider, in time
	fresh      atomic.Uint64 // by what it had answered, without waiting
	remembered atomic.Uint64 // by what it had answered, since it did not answer now
	unanswered atomic.Uint64
	slow       atomic.Uint64 // of remembered and unanswered: it was not in time
	crowded    atomic.Uint64 // of them: too many were with it
	failed     atomic.Uint64 // failures of the provider
	unfit      atomic.Uint64 // flags that it does not have, or values that make no sense
}

func (p *Provider) count(f *failure) {
	if f.down {
		p.counts.failed.Add(1)
	} else {
		p.counts.unfit.Add(1)
	}
}

// A Status says how the provider does.
type Status struct {
	Ready      bool   // it has been initialised
	Trouble    string // why it could not be; empty: it could
	LeftAlone  bool   // it has failed in a row, and requests don't wait for it
	Remembered int    // answers
	Waiting    int    // evaluations that are with it

	// Evaluations since the start, by how they were answered.
	Asked, Fresh, Last, Unanswered uint64
	// What went wrong.
	Slow, Crowded, Failed, Unfit uint64
}

// Status returns how the provider does.
func (p *Provider) Status() Status {
	c := &p.counts
	s := Status{
		Ready: p.begun.Load(), LeftAlone: p.breaker.shut.Load(), Remembered: p.memory.len(), Waiting: len(p.room),
		Asked: c.asked.Load(), Fresh: c.fresh.Load(), Last: c.remembered.Load(), Unanswered: c.unanswered.Load(),
		Slow: c.slow.Load(), Crowded: c.crowded.Load(), Failed: c.failed.Load(), Unfit: c.unfit.Load(),
	}
	if t := p.trouble.Load(); t != nil {
		s.Trouble = *t
	}
	return s
}
