package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// reloads keeps how the last reload went.
type reloads struct {
	mu     sync.Mutex // guards what follows
	last   dashboard.ReloadStatus
	failed uint64 // reloads that were refused, since the start
}

// check does everything of a reload that can fail. The gateway swaps its
// snapshot as the last part of it, so that it either serves by the new table
// altogether or goes on as before.
func (p *Process) check(old, next *routes.Table) error {
	if problems := routes.CheckReload(old, next, p.follower.State()); len(problems) > 0 {
		return problems
	}
	return p.gateway.Install(next)
}

// swapped brings the log in line with the table that is served now.
func (p *Process) swapped(next *routes.Table) {
	p.align(context.Background(), next)
}

// reconcile appends what the log must know of a table, and waits until this
// gateway has read it.
func (p *Process) reconcile(ctx context.Context, t *routes.Table) error {
	for range 10 {
		s := p.follower.State()
		events := routes.Reconcile(t, s)
		if len(events) == 0 {
			return nil
		}
		for i := range events {
			events[i].Actor = "ficus"
		}
		seq, err := p.events.Append(ctx, s.Seq, events...)
		if errors.Is(err, migrations.ErrConflict) {
			if seq, err = p.events.Head(ctx); err == nil {
				_, err = p.follower.Wait(ctx, seq)
			}
			if err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("append to the event log: %w", err)
		}
		_, err = p.follower.Wait(ctx, seq)
		return err
	}
	return errors.New("the event log moves too fast to bring it in line with the config")
}

// reported notes and logs how a reload went.
func (p *Process) reported(r routes.Report) {
	if r.Warning != "" { // not about a reload
		p.log.Warn("config", "warning", r.Warning)
		return
	}
	status := dashboard.ReloadStatus{Time: r.Time, OK: r.OK, Hash: r.Hash}
	t := p.source.Table()
	var problems routes.Problems
	switch {
	case r.OK:
		status.Warnings = t.Warnings
		for _, change := range routes.RestartNeeded(p.started, t) {
			status.Restart = append(status.Restart, change.Path)
			if r.Changed {
				p.log.Warn("config", "warning", change.Error())
			}
		}
		if r.Changed {
			for _, w := range t.Warnings {
				p.log.Warn("config", "warning", w.Error())
			}
			p.log.Info("config reloaded", "trigger", r.Trigger, "hash", r.Hash, "routes", len(t.Routes), "migrations", len(t.Plans), "took", r.Took)
		} else {
			p.log.Info("config unchanged", "trigger", r.Trigger, "hash", r.Hash)
		}
	case errors.As(r.Err, &problems):
		status.Problems = problems
		for _, problem := range problems {
			p.log.Error("config not reloaded, the last good one serves on", "error", problem.Error())
		}
	default:
		status.Problems = routes.Problems{{At: routes.Position{File: t.File}, Text: r.Err.Error()}}
		p.log.Error("config not reloaded, the last good one serves on", "error", r.Err)
	}
	p.reloads.mu.Lock()
	defer p.reloads.mu.Unlock()
	p.reloads.last = status
	if !r.OK {
		p.reloads.failed++
	}
}

func (rs *reloads) status() (last dashboard.ReloadStatus, failed uint64) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return rs.last, rs.failed
}

// Reload reads the config now.
func (p *Process) Reload(ctx context.Context) dashboard.ReloadStatus {
	if p.config.Path == "" {
		return dashboard.ReloadStatus{Time: time.Now(), OK: true, Hash: p.source.Table().Hash}
	}
	r := p.source.Reload(ctx)
	last, _ := p.reloads.status()
	if r.Err != nil && last.OK { // it was not read at all
		last = dashboard.ReloadStatus{Time: r.Time, Hash: r.Hash, Problems: routes.Problems{{Text: r.Err.Error()}}}
	}
	return last
}
