package evidence

import (
	"cmp"
	"slices"
)

// Buckets is what an epoch's share is out of; the same number as
// migrations.Buckets.
const Buckets = 100_000

// An Epoch is the time between two changes of a migration's split, and what
// was counted in it. An outcome belongs to the epoch of the snapshot that its
// request was pinned to.
type Epoch struct {
	Seq      uint64           `json:"epoch"`             // seq of the event that began it
	Share    int              `json:"share"`             // buckets of 100,000 on the service
	Requests Sides            `json:"requests,omitzero"` // of keys placed by their hash, by the side that was tried first
	Clean    Sides            `json:"clean,omitzero"`    // of these, those without any bad event
	Bad      map[Metric]Sides `json:"bad,omitempty"`     // of these, the bad ones; for rates, never for the test
	Cohort   Sides            `json:"cohort,omitzero"`   // requests that a rule placed: never in the test
	Keyless  uint64           `json:"keyless,omitempty"` // requests without a key, on the monolith: never in the test
}

// Rate returns the share of bad requests on a side, 0 without requests.
func (e Epoch) Rate(m Metric, s Side) float64 {
	if e.Requests[s] == 0 {
		return 0
	}
	return float64(e.Bad[m][s]) / float64(e.Requests[s])
}

// plus returns the sum of what two gateways counted in one epoch.
func (e Epoch) plus(o Epoch) Epoch {
	e.Share = max(e.Share, o.Share) // the same, unless they are not of one log
	e.Requests = e.Requests.plus(o.Requests)
	e.Clean = e.Clean.plus(o.Clean)
	e.Cohort = e.Cohort.plus(o.Cohort)
	e.Keyless += o.Keyless
	bad := make(map[Metric]Sides, len(e.Bad)+len(o.Bad))
	for _, from := range []map[Metric]Sides{e.Bad, o.Bad} {
		for m, n := range from {
			bad[m] = bad[m].plus(n)
		}
	}
	e.Bad = nil
	if len(bad) > 0 {
		e.Bad = bad
	}
	return e
}

// mergeEpochs returns the epochs of both, by seq, those that both have added up.
func mergeEpochs(a, b []Epoch) []Epoch {
	all := slices.Concat(a, b)
	slices.SortStableFunc(all, func(x, y Epoch) int { return cmp.Compare(x.Seq, y.Seq) })
	var out []Epoch
	for _, e := range all {
		if n := len(out); n > 0 && out[n-1].Seq == e.Seq {
			out[n-1] = out[n-1].plus(e)
		} else {
			out = append(out, Epoch{}.with(e))
		}
	}
	return out
}

// with returns a copy of o that shares nothing with it.
func (e Epoch) with(o Epoch) Epoch {
	e.Seq = o.Seq
	return e.plus(o)
}
