package app

import (
	"context"
	"fmt"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// A logged is what is known of the log: its state, and the text of steps by
// migration and number.
type logged struct {
	state migrations.State
	steps map[string]map[int]string
	all   bool // the steps are all that the gateway goes by; else those that were taken
}

// readLogged reads the log itself.
func readLogged(ctx context.Context, s routes.Server, c *call) (logged, error) {
	rec := logged{steps: map[string]map[int]string{}}
	log, end, err := readLog(ctx, s, c.quiet())
	if err != nil {
		return rec, exitCode{exitUsage, err}
	}
	defer end()
	if rec.state, err = migrations.Latest(ctx, log); err != nil {
		return rec, err
	}
	for id := range rec.state.Migrations {
		events, err := migrations.History(ctx, log, migrations.Filter{Migration: id, Kinds: []migrations.Kind{migrations.Stepped, migrations.Skipped}}, 0)
		if err != nil {
			return rec, err
		}
		rec.steps[id] = map[int]string{}
		for _, e := range events {
			if e.Content != nil {
				rec.steps[id][e.Step] = stepLine(e.Split.String(), e.Content.Hold, e.Content.Requests, e.Content.Observations, e.Content.Approve)
			}
		}
	}
	return rec, nil
}

// ask asks the gateway for the log's state, and for the steps by which it goes.
func (d diffCommand) ask(c *call) (logged, error) {
	cl, err := d.client(c, "", false)
	if err != nil {
		return logged{}, err
	}
	defer cl.Close()
	state, err := cl.State(c.ctx)
	if err != nil {
		return logged{}, err
	}
	rec := logged{state: migrations.State{Seq: state.Seq, Migrations: map[string]migrations.Migration{}}, steps: map[string]map[int]string{}, all: true}
	for _, m := range state.Migrations {
		rec.state.Migrations[m.ID] = migrationFrom(m)
		rec.steps[m.ID] = map[int]string{}
		for i, s := range m.Steps {
			hold, _ := time.ParseDuration(s.Hold) // empty is none
			rec.steps[m.ID][i+1] = stepLine(s.Split, hold, s.Requests, s.Observations, s.Approve)
		}
	}
	return rec, nil
}

// migrationFrom makes of what the API shows as much of a state as a config is
// held against.
func migrationFrom(m dashboard.Migration) migrations.Migration {
	out := migrations.Migration{
		ID: m.ID, From: m.From, To: m.To, Key: m.Key, Flag: m.Recorded.Flag, Plan: m.Recorded.Plan, Resume: m.Recorded.Resume,
		Split: splitFrom(m.Shares), Seq: m.Seq, Epoch: m.Epoch, Since: m.Since, Ramp: m.Ramp, Step: m.Step, RolledBack: m.RolledBack, Retired: m.Retired,
	}
	if m.Flags != nil && m.Flags.Source != migrations.BuiltIn {
		out.Outside = &migrations.Outside{Source: m.Flags.Source, Version: m.Flags.Version}
	}
	for _, cell := range m.Cells {
		if cell.Name == "" || cell.Name == migrations.Rest {
			out.Unknown = cell.Unknown
			continue
		}
		if out.Cells == nil {
			out.Cells = map[string]migrations.Course{}
		}
		out.Cells[cell.Name] = migrations.Course{
			Split: splitFrom(cell.Shares), Epoch: cell.Epoch, Since: cell.Since, Ramp: cell.Ramp, Step: cell.Step, RolledBack: cell.RolledBack,
			Progress: migrations.Progress{Unknown: cell.Unknown},
		}
	}
	return out
}

func splitFrom(shares []dashboard.Share) (split migrations.Split) {
	for _, s := range shares {
		split = append(split, migrations.Share{Stage: s.Stage, Buckets: s.Buckets})
	}
	return split
}

// stepLine writes a step as a person reads it.
func stepLine(split string, hold time.Duration, requests, observations int, approve bool) string {
	text := split
	if hold > 0 {
		text += fmt.Sprintf(", held %s", hold)
	}
	if requests > 0 {
		text += fmt.Sprintf(", %d clean requests", requests)
	}
	if observations > 0 {
		text += fmt.Sprintf(", %d comparisons", observations)
	}
	if approve {
		text += ", begins when approved"
	}
	return text
}
