package web

import (
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
)

// A moment of a rollback, from the first bad request to the last user hurt.
type recoveryRow struct{ What, At, After string }

// recovered lists the moments of a rollback, in their order but for the last.
func recovered(r dashboard.Recovery) (rows []recoveryRow) {
	add := func(what string, at time.Time, after string) {
		rows = append(rows, recoveryRow{what, at.UTC().Format("15:04:05.000"), after})
	}
	if r.FirstBad != nil {
		add("first bad request", *r.FirstBad, "of the kind that decided")
		add("decided", r.Decided, "after "+r.After(r.Decided))
	} else {
		add("decided", r.Decided, "when the first bad request was is not known")
	}
	for _, f := range r.InForce {
		after := dashboard.Span(f.Seconds) + " after the decision"
		if f.Started {
			after = "it has started since"
		}
		add("in force at "+f.Gateway, f.At, after)
	}
	switch {
	case r.LastHurt != nil:
		add("last user hurt", *r.LastHurt, "after "+r.After(*r.LastHurt))
	case r.LastAsked != nil:
		add("service last asked", *r.LastAsked, "after "+r.After(*r.LastAsked)+"; no user was hurt")
	default:
		rows = append(rows, recoveryRow{"users", "", "no user was hurt"})
	}
	return rows
}
