package migrations

import (
	"fmt"
	"math"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A Load is what a way back brings to the monolith, in requests a minute.
type Load struct {
	Now     uint64 `json:"now"`     // what it carries
	Coming  uint64 `json:"coming"`  // what the service carries, and will come back
	Carried uint64 `json:"carried"` // the most that it carried over a quarter of an hour of the last three days
}

const (
	loadMinutes = 5 // whole minutes over which a load is measured
	leastLoad   = 5 * time.Second
)

// WayBack returns the load of a way back of everything. It is measured since the
// last change of the split, and over the last five whole minutes at most.
func WayBack(counts evidence.Counts, m Migration, now time.Time) Load {
	var since time.Time
	for _, c := range m.Counted() {
		if c.Since.After(since) {
			since = c.Since
		}
	}
	var l Load
	switch took := now.Sub(since); {
	case took >= (loadMinutes+1)*time.Minute:
		l.Now, l.Coming = lately(counts.Burn[evidence.Legacy], now), lately(counts.Burn[evidence.Modern], now)
	case took < leastLoad: // too little has come since: the traffic of before, divided as it is now
		all := lately(counts.Burn[evidence.Legacy], now) + lately(counts.Burn[evidence.Modern], now)
		l.Coming = all * uint64(m.Split.Modern()) / Buckets
		l.Now = all - l.Coming
	default:
		l.Now, l.Coming = sinceShift(counts, m, took)
	}
	l.Carried = max(most(counts.Burn[evidence.Legacy], now), l.Now)
	return l
}

// sinceShift returns the requests a minute by what was counted since the split
// changed.
func sinceShift(counts evidence.Counts, m Migration, took time.Duration) (legacy, modern uint64) {
	var requests evidence.Sides
	for name, course := range m.Counted() {
		cell := counts.Cells[name]
		if cell == nil {
			continue
		}
		e := cell.Epoch(course.Epoch)
		if e == nil {
			continue
		}
		for side := range requests {
			requests[side] += e.Requests[side] + e.Cohort[side]
		}
		requests[evidence.Legacy] += e.Keyless
	}
	aMinute := func(n uint64) uint64 { return uint64(math.Round(float64(n) / took.Minutes())) }
	return aMinute(requests[evidence.Legacy]), aMinute(requests[evidence.Modern])
}

// lately returns the requests a minute over the last whole minutes, five at most.
// A minute in which counting began is not a whole one; it and the one under way
// count, the greater of them, while there is no other.
func lately(b evidence.Burn, now time.Time) uint64 {
	last := now.Unix() / 60
	sum, first, current, begun := uint64(0), last, uint64(0), uint64(0)
	for _, slot := range b.Minutes {
		if slot.At > last {
			continue
		}
		if slot.At < first {
			first, begun = slot.At, slot.Requests
		}
		if slot.At == last {
			current = slot.Requests
		} else if slot.At >= last-loadMinutes {
			sum += slot.Requests
		}
	}
	switch whole := last - first; {
	case whole > loadMinutes:
		return sum / loadMinutes
	case whole > 1:
		return (sum - begun) / uint64(whole-1)
	}
	took := now.Sub(now.Truncate(time.Minute))
	return max(begun, uint64(float64(current)/max(took.Minutes(), leastLoad.Minutes())))
}

// most returns the requests a minute of the busiest quarter of an hour that is
// over; of the one under way, so far, if none is.
func most(b evidence.Burn, now time.Time) uint64 {
	const minutes = 15
	top, current := uint64(0), now.Unix()/60/minutes
	for _, slot := range b.Quarters {
		if slot.At < current {
			top = max(top, slot.Requests/minutes)
		}
	}
	if top > 0 {
		return top
	}
	first := now.Unix() / 60
	for _, slot := range b.Minutes {
		if slot.Requests > 0 {
			first = min(first, max(slot.At, current*minutes))
		}
	}
	for _, slot := range b.Quarters {
		if slot.At == current {
			top = slot.Requests / uint64(max(now.Unix()/60-first+1, 1))
		}
	}
	return top
}

// New reports whether the monolith has not carried as much of late.
func (l Load) New() bool { return l.Now+l.Coming > l.Carried }

// String says it to a person.
func (l Load) String() string {
	return fmt.Sprintf("rolling back adds %d requests/min to the monolith (now %d/min; highest 15 minutes of 3 days: %d/min)", l.Coming, l.Now, l.Carried)
}
