package dashboard

import (
	"math"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A Usual is the traffic of a migration that the last week knows.
type Usual struct {
	Hourly   float64 `json:"hourly"`           // people with a key in an hour
	Weekly   float64 `json:"weekly,omitempty"` // and in a week; absent: it is not known for a day yet
	Requests float64 `json:"requests"`         // of one of them in an hour
	Bad      float64 `json:"bad"`              // share of the monolith's requests that are bad
}

func usualOf(t evidence.Traffic) *Usual {
	return &Usual{Hourly: math.Round(t.Hourly), Weekly: math.Round(t.Weekly), Requests: t.PerKey, Bad: t.Bad}
}
