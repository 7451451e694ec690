package migrations

import (
	"fmt"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A Load is what a way back brings to the monolith, in requests a minute.
type Load struct {
	Now     uint64 `json:"now"`     // what it carries
	Coming  uint64 `json:"coming"`  // what the service carries, and will come back
	Carried uint64 `json:"carried"` // the most that it carried over a quarter of an hour of the last three days
}

// WayBack returns the load of a way back of everything, from the last five
// whole minutes.
func WayBack(counts evidence.Counts, now time.Time) Load {
	return Load{
		Now:     lately(counts.Burn[evidence.Legacy], now),
		Coming:  lately(counts.Burn[evidence.Modern], now),
		Carried: most(counts.Burn[evidence.Legacy]),
	}
}

// lately returns the requests a minute over the last five whole minutes.
func lately(b evidence.Burn, now time.Time) uint64 {
	const minutes = 5
	sum, last := uint64(0), now.Unix()/60
	for _, slot := range b.Minutes {
		if slot.At >= last-minutes && slot.At < last {
			sum += slot.Requests
		}
	}
	return sum / minutes
}

func most(b evidence.Burn) uint64 {
	const minutes = 15
	top := uint64(0)
	for _, slot := range b.Quarters {
		top = max(top, slot.Requests)
	}
	return top / minutes
}

// New reports whether the monolith has not carried as much of late.
func (l Load) New() bool { return l.Now+l.Coming > l.Carried }

// String says it to a person.
func (l Load) String() string {
	text := fmt.Sprintf("%d requests a minute come back to the %d that the monolith has", l.Coming, l.Now)
	if l.New() {
		return text + fmt.Sprintf("; the most it carried in the last three days is %d", l.Carried)
	}
	return text + fmt.Sprintf("; it carried %d in the last three days", l.Carried)
}
