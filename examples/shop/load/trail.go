package load

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/ficus-gateway/ficus/examples/shop/monolith"
)

// A Visit is requests of one customer to one route, one after another, that
// the same side answered.
type Visit struct {
	Side  string
	Count int
	First time.Time // its first request was sent
	Last  time.Time // its last request was sent
	Came  time.Time // its first request was answered
}

// follow adds an answer to a trail.
func follow(trail []Visit, side string, sent, answered time.Time) []Visit {
	if n := len(trail); n > 0 && trail[n-1].Side == side {
		trail[n-1].Count++
		trail[n-1].Last = sent
		return trail
	}
	return append(trail, Visit{side, 1, sent, sent, answered})
}

// A Turn is a customer whom the service had answered, and then the monolith.
type Turn struct {
	Customer string
	Route    string
	From     string
	Left     time.Time // the last request that the service answered was sent
	Came     time.Time // the first that the monolith answered was answered
}

// String says who turned where, and when.
func (t Turn) String() string {
	return fmt.Sprintf("%s came back from %s on %s at %s", t.Customer, t.From, t.Route, t.Came.Format("15:04:05.000"))
}

// TurnedBack returns all customers who were sent back to the monolith on a
// safe route, between two times; a zero time is no bound. While the share of a
// migration only rises there are none, and the order is that of time.
func (r *Report) TurnedBack(since, until time.Time) []Turn {
	var turns []Turn
	for customer, trails := range r.Trails {
		for route, trail := range trails {
			for i := 1; i < len(trail); i++ {
				from, to := trail[i-1], trail[i]
				if to.Side != monolith.Name || from.Last.Before(since) || !until.IsZero() && to.Came.After(until) {
					continue
				}
				turns = append(turns, Turn{customer, route, from.Side, from.Last, to.Came})
			}
		}
	}
	slices.SortFunc(turns, func(a, b Turn) int {
		return cmp.Or(a.Came.Compare(b.Came), cmp.Compare(a.Customer, b.Customer), cmp.Compare(a.Route, b.Route))
	})
	return turns
}
