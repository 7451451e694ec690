package app

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/filelog"
	"github.com/ficus-gateway/ficus/routes"
)

// An eventLog is the log of this installation, in a file or in Redis.
type eventLog interface {
	migrations.Log
	io.Closer
}

// openState opens the event log and checks the config against it.
func (p *Process) openState(ctx context.Context, t *routes.Table) error {
	var state migrations.State
	var err error
	if t.Server.Redis == nil {
		state, err = p.openFile(ctx, statePath(t))
	} else {
		state, err = p.openRedis(ctx, t.Server)
	}
	if err != nil {
		return err
	}
	if problems := routes.CheckReload(nil, t, state); len(problems) > 0 {
		return problems
	}
	p.follower = migrations.NewFollower(p.events, state)
	var told seldom
	p.follower.OnError = func(err error, _ time.Duration) {
		if told.should(err) {
			p.log.Error("the event log can't be read; serving by the last state until it can", "error", err)
		}
	}
	if p.shared != nil {
		p.follower.Heal = p.shared.heal
		p.shared.state = p.follower.State
	}
	return nil
}

// A seldom keeps an error that comes again and again from filling the log. It
// belongs to one goroutine.
type seldom struct {
	last string
	at   time.Time
}

// should reports whether an error is worth a line: it is another one, or the
// last line was a while ago.
func (s *seldom) should(err error) bool {
	if err.Error() == s.last && time.Since(s.at) < 10*time.Second {
		return false
	}
	s.last, s.at = err.Error(), time.Now()
	return true
}

func (p *Process) openFile(ctx context.Context, path string) (migrations.State, error) {
	log, err := p.succeeds.open(ctx, path, filelog.Options{Logger: p.log})
	if err != nil {
		return migrations.State{}, stateError(path, err)
	}
	p.tenure = newTenure(path, log, p.log)
	p.events = p.tenure
	return migrations.Latest(ctx, log)
}

func statePath(t *routes.Table) string { return strings.TrimPrefix(t.Server.State, "file:") }

// now is the time by the clock that stamps the events.
func (p *Process) now() time.Time {
	if p.shared == nil {
		return time.Now()
	}
	return p.shared.log.Now()
}

// applied notes an event that this gateway has applied.
func (p *Process) applied(e migrations.Event) {
	if p.shared == nil {
		return
	}
	p.shared.changed()
	if e.Kind == migrations.Restored {
		p.unsettled.Store(true) // it may lack what it was told of the config
	}
}

// settle brings the log in line with the config as soon as it can be written,
// until ctx ends. It does nothing while the two agree.
func (p *Process) settle(ctx context.Context) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !p.unsettled.Load() || p.follower.Err() != nil {
			continue
		}
		p.unsettled.Store(false)
		p.align(ctx, p.source.Table())
	}
}

// align appends what the log must know of a table. If it cannot, settle tries
// again: nothing of that is worth not serving for.
func (p *Process) align(ctx context.Context, t *routes.Table) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := p.reconcile(ctx, t); err != nil {
		p.log.Error("the log does not know the new config yet; migrations that are new to it stay off", "error", err)
		p.unsettled.Store(true)
	}
}
