package dashboard

import (
	"slices"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A Gateway is one of those that share the log.
type Gateway struct {
	Name   string
	Here   bool      // the one that answers
	Silent time.Time // since when nothing is heard of it, though it has not said that it ends; zero: it is there
}

// A Recovery is how users fared by a rollback, as far as the gateways have said.
// Seconds count from the first bad request, or from the decision where that is
// not known.
type Recovery struct {
	FirstBad  *time.Time `json:"first_bad,omitempty"` // first bad request on the service, of the kind that decided
	Decided   time.Time  `json:"decided"`
	InForce   []InForce  `json:"in_force"`               // by the time
	Missing   []Missing  `json:"not_in_force,omitempty"` // gateways that have not said that it is in force
	LastHurt  *time.Time `json:"last_hurt,omitempty"`    // end of the last request of the service that went badly for its user; absent: none did
	LastAsked *time.Time `json:"last_asked,omitempty"`   // end of the last request that the service had after the rollback; absent: none
	Seconds   float64    `json:"seconds"`                // until the last user was hurt; if none was, until the service was last asked, or until it was in force everywhere
	Following bool       `json:"following,omitempty"`    // gateways still look at how requests end: for a minute
}

// An InForce is when a rollback came into force at a gateway.
type InForce struct {
	Gateway   string     `json:"gateway"`
	At        time.Time  `json:"at"`
	Seconds   float64    `json:"seconds"`           // after the decision
	Started   bool       `json:"started,omitempty"` // it began to run then, by the state that the rollback had left
	LastHurt  *time.Time `json:"last_hurt,omitempty"`
	LastAsked *time.Time `json:"last_asked,omitempty"`
}

// A Missing is a gateway that has not said that a rollback is in force.
type Missing struct {
	Gateway string     `json:"gateway"`
	Silent  *time.Time `json:"silent_since,omitempty"` // nothing is heard of it; it may still serve by the state before
}

// recovery returns how users fared by a rollback; nil if no gateway has said
// anything. origin is the event that holds the evidence, which may be e itself.
func (a *api) recovery(e, origin migrations.Event, said []evidence.Enforcement) *Recovery {
	r := recoveryOf(e, origin, said, a.Now())
	if r != nil && a.Gateways != nil && stands(a.State(), e) {
		r.Missing = missing(r.InForce, a.Gateways())
	}
	return r
}

// stands reports whether a rollback is the last word on where users go, in any
// cell. Gateways have no use for an older one.
func stands(s migrations.State, e migrations.Event) bool {
	m, ok := s.Migrations[e.Migration]
	if !ok {
		return false
	}
	for _, name := range m.CellNames() {
		if c := m.Course(name); c.RolledBack && c.Epoch == e.Seq {
			return true
		}
	}
	return false
}

func recoveryOf(e, origin migrations.Event, said []evidence.Enforcement, now time.Time) *Recovery {
	if !e.Back() {
		return nil
	}
	r := &Recovery{Decided: e.Time, InForce: []InForce{}}
	if e.Evidence != nil && !e.Evidence.At.IsZero() {
		r.Decided = e.Evidence.At
	}
	begin := r.Decided
	if v := origin.Evidence; v != nil && !v.FirstBad.IsZero() {
		r.FirstBad, begin = &v.FirstBad, v.FirstBad
	}
	var force, hurt, asked time.Time
	for _, s := range said {
		if s.Seq != e.Seq {
			continue
		}
		r.InForce = append(r.InForce, InForce{
			Gateway: s.Gateway, At: s.At, Seconds: seconds(r.Decided, s.At), Started: s.Started, LastHurt: timeOf(s.LastHurt), LastAsked: timeOf(s.LastAsked),
		})
		r.Following = r.Following || s.Open(now)
		if !s.Started {
			force = latest(force, s.At)
		}
		hurt, asked = latest(hurt, s.LastHurt), latest(asked, s.LastAsked)
	}
	if len(r.InForce) == 0 {
		return nil
	}
	slices.SortStableFunc(r.InForce, func(a, b InForce) int { return a.At.Compare(b.At) })
	r.LastHurt, r.LastAsked = timeOf(hurt), timeOf(asked)
	end := hurt
	if end.IsZero() {
		end = latest(force, asked)
	}
	if end.IsZero() { // all have started since
		end = r.Decided
	}
	r.Seconds = seconds(begin, end)
	return r
}

// missing returns the gateways that have not said that a rollback is in force.
func missing(in []InForce, all []Gateway) (out []Missing) {
	for _, g := range all {
		if !slices.ContainsFunc(in, func(f InForce) bool { return f.Gateway == g.Name }) {
			out = append(out, Missing{g.Name, timeOf(g.Silent)})
		}
	}
	return out
}

func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// seconds returns the time between two moments, to the millisecond. Clocks that
// differ do not make it less than nothing.
func seconds(from, to time.Time) float64 {
	return max(to.Sub(from), 0).Round(time.Millisecond).Seconds()
}

// After returns how long after the first bad request, or the decision, something
// was, for people: "1.4s".
func (r Recovery) After(at time.Time) string {
	begin := r.Decided
	if r.FirstBad != nil {
		begin = *r.FirstBad
	}
	return Span(seconds(begin, at))
}

// Span writes seconds for people.
func Span(s float64) string {
	d := time.Duration(s * float64(time.Second))
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}

// Summary says in a few words how the rollback went: "recovered in 1.4s".
func (r Recovery) Summary() string {
	text := "recovered in "
	if r.FirstBad == nil {
		text = "in force after "
	}
	text += Span(r.Seconds)
	if r.Following && r.LastHurt != nil {
		text += " so far"
	}
	parts := []string{text}
	if len(r.Missing) > 0 {
		var names []string
		for _, m := range r.Missing {
			names = append(names, m.Gateway)
		}
		parts = append(parts, "not known to be in force at "+strings.Join(names, ", "))
	}
	return strings.Join(parts, ", ")
}
