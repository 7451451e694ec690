package evidence

import (
	"cmp"
	"slices"
	"time"
)

// An Enforcement is what one gateway says of one rollback: when it came into
// force there, and how the requests ended that the service was still asked for.
// The event itself cannot hold that: it is written before.
//
// Times are by the log's clock, as far as the gateway knows it.
type Enforcement struct {
	Seq       uint64    `json:"seq"`                 // of the event
	Gateway   string    `json:"gateway"`             // its name among those of the log
	At        time.Time `json:"at"`                  // from then on no new request goes where the rollback takes it from
	Started   bool      `json:"started,omitempty"`   // the gateway began to run then, when the rollback was in the log already
	LastHurt  time.Time `json:"last_hurt,omitzero"`  // the last request of the service that ended badly for its user, up to [FollowFor] after At; zero: none did
	LastAsked time.Time `json:"last_asked,omitzero"` // the last request of the service that ended within [FollowFor] after At, however it did; zero: none
}

// FollowFor is how long after a rollback a gateway looks at how the requests end
// that the service still has.
const FollowFor = time.Minute

// Bounds of what is kept: the newest rollbacks of a migration, and gateways for
// each.
const (
	EnforcementLimit = 16
	mostEnforcers    = 256
)

// Open reports whether the gateway still looks at how requests end.
func (e Enforcement) Open(now time.Time) bool { return !e.Started && now.Before(e.At.Add(FollowFor)) }

// Last returns when the last user was hurt, or, if none was, when the service
// was last asked, or else when the rollback came into force.
func (e Enforcement) Last() time.Time {
	switch {
	case !e.LastHurt.IsZero():
		return e.LastHurt
	case !e.LastAsked.IsZero():
		return e.LastAsked
	}
	return e.At
}

// with returns what two reports of the same gateway on the same event say
// together: the first time that it was in force, and the last that anything
// happened.
func (e Enforcement) with(o Enforcement) Enforcement {
	if o.At.Before(e.At) {
		e.At = o.At
	}
	if o.LastHurt.After(e.LastHurt) {
		e.LastHurt = o.LastHurt
	}
	if o.LastAsked.After(e.LastAsked) {
		e.LastAsked = o.LastAsked
	}
	e.Started = e.Started && o.Started
	return e
}

func (e Enforcement) compare(o Enforcement) int {
	return cmp.Or(cmp.Compare(e.Seq, o.Seq), cmp.Compare(e.Gateway, o.Gateway))
}

// MergeEnforced returns the union of both, by event and gateway, of the newest
// [EnforcementLimit] events. It shares nothing with them. The order of merging
// does not matter, nor does merging twice.
func MergeEnforced(a, b []Enforcement) []Enforcement {
	all := slices.Concat(a, b)
	slices.SortFunc(all, Enforcement.compare)
	var out []Enforcement
	of := 0 // gateways of the present event
	for _, e := range all {
		switch n := len(out); {
		case n > 0 && out[n-1].compare(e) == 0:
			out[n-1] = out[n-1].with(e)
			continue
		case n == 0 || out[n-1].Seq != e.Seq:
			of = 0
		}
		if of++; of <= mostEnforcers {
			out = append(out, e)
		}
	}
	events := 0
	for i := len(out) - 1; i >= 0; i-- {
		if i == len(out)-1 || out[i].Seq != out[i+1].Seq {
			events++
		}
		if events > EnforcementLimit {
			return slices.Clip(out[i+1:])
		}
	}
	return out
}
