package app

import (
	"errors"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/dashboard/client"
)

// ramped are the flags of commands that ask something of a ramp.
type ramped struct {
	remote
	change
	ofCell
	Migration string `arg:"" help:"Id of the migration."`
}

func (r ramped) ask(c *call, verb dashboard.RampVerb) error {
	return r.do(c, r.remote, r.Migration, func(cl *client.Client, expect uint64) (dashboard.Change, error) {
		return cl.Ramp(c.ctx, r.Migration, verb, dashboard.RampRequest{Reason: r.Why, Cell: r.Cell, Expect: &expect})
	})
}

type holdCommand struct{ ramped }

// Run holds the ramp. That it takes a step at this moment does not keep it from
// standing still.
func (h holdCommand) Run(c *call) error {
	err := h.ask(c, dashboard.HoldRamp)
	for range 3 {
		if h.Expect != 0 || !client.Is(err, dashboard.MovedOn) {
			break
		}
		err = h.ask(c, dashboard.HoldRamp)
	}
	return err
}

type resumeCommand struct{ ramped }

// Run lets the ramp go on.
func (r resumeCommand) Run(c *call) error { return r.ask(c, dashboard.ResumeRamp) }

type approveCommand struct{ ramped }

// Run approves the next step.
func (a approveCommand) Run(c *call) error { return a.ask(c, dashboard.ApproveStep) }

type skipCommand struct{ ramped }

// Run takes the next step.
func (s skipCommand) Run(c *call) error { return s.ask(c, dashboard.SkipStep) }

type restartCommand struct{ ramped }

// Run begins the present step anew.
func (r restartCommand) Run(c *call) error { return r.ask(c, dashboard.RestartStep) }

// frosty are the flags of freeze and thaw.
type frosty struct {
	remote
	Why       string `help:"Reason, kept in the event log and shown by status." required:"" placeholder:"TEXT"`
	As        string `help:"Who asks. Default: the user who runs the command." env:"FICUS_ACTOR" placeholder:"NAME"`
	Migration string `arg:"" optional:"" help:"Id of the migration."`
	All       bool   `help:"All of them."`
}

func (f frosty) open(c *call) (*client.Client, error) {
	if f.All == (f.Migration != "") {
		return nil, exitCode{exitUsage, errors.New("name a migration, or give --all")}
	}
	return f.client(c, change{As: f.As}.actor(), true)
}

// told tells what has become of all ramps.
func (f frosty) told(c *call, done dashboard.Freeze) error {
	switch {
	case f.JSON:
		return c.json(done)
	case done.Frozen != "":
		c.printf("all ramps are frozen: %s, event %d", done.Frozen, done.Seq)
	default:
		c.printf("ramps move again, event %d", done.Seq)
	}
	if !done.Applied {
		c.printf("the event is in the log, but the gateway has not applied it yet; see: ficus status")
	}
	return nil
}

type freezeCommand struct{ frosty }

// Run freezes.
func (f freezeCommand) Run(c *call) error {
	cl, err := f.open(c)
	if err != nil {
		return err
	}
	defer cl.Close()
	if f.All {
		done, err := cl.FreezeAll(c.ctx, f.Why)
		if err != nil {
			return err
		}
		return f.told(c, done)
	}
	done, err := cl.Freeze(c.ctx, f.Migration, f.Why)
	if err != nil {
		return err
	}
	return c.changed(f.remote, done)
}

type thawCommand struct{ frosty }

// Run thaws.
func (t thawCommand) Run(c *call) error {
	cl, err := t.open(c)
	if err != nil {
		return err
	}
	defer cl.Close()
	if t.All {
		state, err := cl.State(c.ctx)
		if err != nil {
			return err
		}
		done, err := cl.ThawAll(c.ctx, t.Why, state.Seq)
		if err != nil {
			return err
		}
		return t.told(c, done)
	}
	m, err := cl.Migration(c.ctx, t.Migration)
	if err != nil {
		return err
	}
	done, err := cl.Thaw(c.ctx, t.Migration, t.Why, m.Seq)
	if err != nil {
		return err
	}
	return c.changed(t.remote, done)
}
