package web

import (
	"net/http"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
)

// A happening is an event of the log as a list shows it.
type happening struct {
	dashboard.Event
	What string // in a sentence
	Ago  string
	Fig  *fig   // if it set a split
	Was  string // split before, if it is among those read
}

// happenings are a part of the log.
type happenings struct {
	Events []happening
	Before uint64
}

func (s *site) happenings(r *http.Request, f dashboard.Filter) (happenings, *dashboard.Problem) {
	h, p := get[dashboard.History](s, r, "/api/history", f.Query())
	if p != nil {
		return happenings{}, p
	}
	out, now := happenings{Before: h.Before}, s.Now()
	for _, e := range h.Events {
		out.Events = append(out.Events, happeningOf(e, now))
	}
	// The events are newest first, so that what was before comes after.
	for i := range out.Events {
		e := &out.Events[i]
		for _, older := range out.Events[i+1:] {
			if e.Split != "" && older.Migration == e.Migration && older.Split != "" {
				e.Was = older.Split
				break
			}
		}
	}
	return out, nil
}

func happeningOf(e dashboard.Event, now time.Time) happening {
	h := happening{Event: e, What: sentence(e), Ago: ago(now, e.Time)}
	if len(e.Shares) > 0 {
		f := figOf(e.Shares, false)
		h.Fig = &f
	}
	return h
}
