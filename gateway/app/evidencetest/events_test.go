package evidencetest

import (
	"context"
	"sync"

	"github.com/ficus-gateway/ficus/migrations"
)

// Events are what the log of a gateway says, as far as it was read.
type events struct {
	mu    sync.Mutex // guards what follows
	all   []migrations.Event
	fold  migrations.Fold
	news  chan struct{} // has a token if there is one more
	ended chan struct{} // closed when no more are read
}

func (e *events) follow(ctx context.Context, log migrations.Log) {
	defer close(e.ended)
	for event, err := range log.Follow(ctx, 0) {
		e.mu.Lock()
		if err == nil {
			err = e.fold.Next(event)
			e.all = append(e.all, event)
		}
		e.mu.Unlock()
		select {
		case e.news <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// first returns the first event that is so.
func (e *events) first(is func(migrations.Event) bool) (migrations.Event, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, event := range e.all {
		if is(event) {
			return event, true
		}
	}
	return migrations.Event{}, false
}

// last returns the last event that is so.
func (e *events) last(is func(migrations.Event) bool) (found migrations.Event, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, event := range e.all {
		if is(event) {
			found, ok = event, true
		}
	}
	return found, ok
}

func (e *events) course() migrations.Course {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.fold.State().Migrations["shop"].Course("")
}

func ofKind(kinds ...migrations.Kind) func(migrations.Event) bool {
	return func(e migrations.Event) bool {
		for _, k := range kinds {
			if e.Kind == k {
				return true
			}
		}
		return false
	}
}
