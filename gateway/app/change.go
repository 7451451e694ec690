package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/dashboard/client"
	"github.com/ficus-gateway/ficus/migrations"
)

// ofCell is the flag of commands that may concern one cell alone.
type ofCell struct {
	Cell string `help:"One cell of the migration, or rest. Default: all of them." placeholder:"NAME"`
}

type shiftCommand struct {
	remote
	change
	ofCell
	Migration string   `arg:"" help:"Id of the migration."`
	Shares    []string `arg:"" help:"Shares such as live=5% or shadow=95%. What is left over stays at the stage it had." placeholder:"STAGE=SHARE"`
}

// Run sets the split.
func (s shiftCommand) Run(c *call) error {
	shares, err := migrations.ParseShares(s.Shares...)
	if err != nil {
		return exitCode{exitUsage, err}
	}
	for _, arg := range s.Shares { // a forgotten share must not move everybody
		if stage := migrations.Stage(arg); stage.Valid() && stage != migrations.Off && stage != migrations.Complete {
			return exitCode{exitUsage, fmt.Errorf("%s: how many? write %s=5%%, or %s=100%% for everybody", stage, stage, stage)}
		}
	}
	return s.do(c, s.remote, s.Migration, func(cl *client.Client, expect uint64) (dashboard.Change, error) {
		return cl.ShiftCell(c.ctx, s.Migration, s.Cell, shares, s.Why, expect)
	})
}

// do makes a change that expects the migration to be where it was seen last.
func (ch change) do(c *call, r remote, id string, make func(*client.Client, uint64) (dashboard.Change, error)) error {
	cl, err := r.client(c, ch.actor(), true)
	if err != nil {
		return err
	}
	defer cl.Close()
	expect := ch.Expect
	if expect == 0 {
		m, err := cl.Migration(c.ctx, id)
		if err != nil {
			return err
		}
		expect = m.Seq
	}
	done, err := make(cl, expect)
	if err != nil {
		return err
	}
	return c.changed(r, done)
}

// changed tells what a change has done.
func (c *call) changed(r remote, done dashboard.Change) error {
	if r.JSON {
		return c.json(done)
	}
	m := done.Migration
	if done.LocalOnly {
		c.printf("%s: rolled back on this gateway only: the event log did not take it, and gets it when it is back", m.ID)
		return nil
	}
	c.printf("%s: %s%s, event %d", m.ID, splitsText(m), rampText(m), done.Seq)
	if !done.Applied {
		c.printf("the event is in the log, but the gateway has not applied it yet; see: ficus status")
	}
	return nil
}

// splitsText writes the split of a migration, or those of its cells.
func splitsText(m dashboard.Migration) string {
	if len(m.Cells) < 2 {
		return m.Split
	}
	var parts []string
	for _, cell := range m.Cells {
		part := cell.Name + " " + cell.Split
		if cell.RolledBack {
			part += " (rolled back)"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

func rampText(m dashboard.Migration) string {
	frozen := ""
	if m.Frozen != "" {
		frozen = ", frozen: " + m.Frozen
	}
	switch {
	case m.RolledBack:
		return ", rolled back" + frozen
	case m.Ramp == migrations.RampIdle:
		return frozen
	}
	return fmt.Sprintf(", ramp %s", m.Ramp) + frozen
}

type rollbackCommand struct {
	remote
	Why       string `help:"Reason, kept in the event log." required:"" placeholder:"TEXT"`
	As        string `help:"Who asks. Default: the user who runs the command." env:"FICUS_ACTOR" placeholder:"NAME"`
	Migration string `arg:"" optional:"" help:"Id of the migration."`
	ofCell
	All            bool `help:"Roll all migrations back."`
	AcceptDataLoss bool `help:"Roll back although the data has moved: what the service has written since is lost to the monolith."`
}

// Run rolls back.
func (r rollbackCommand) Run(c *call) error {
	if r.All == (r.Migration != "") {
		return exitCode{exitUsage, errors.New("name a migration, or give --all")}
	}
	if r.All && r.Cell != "" {
		return exitCode{exitUsage, errors.New("--cell is of one migration; name it")}
	}
	cl, err := r.client(c, change{As: r.As}.actor(), true)
	if err != nil {
		return err
	}
	defer cl.Close()
	ask := dashboard.RollbackRequest{Reason: r.Why, Cell: r.Cell, AcceptDataLoss: r.AcceptDataLoss}
	c.warnOfLoad(cl, r.Migration)
	start := time.Now()
	if !r.All {
		done, err := cl.Rollback(c.ctx, r.Migration, ask)
		if err != nil {
			return err
		}
		return c.changed(r.remote, done)
	}
	all, err := cl.RollbackAll(c.ctx, ask)
	if err != nil {
		return err
	}
	if r.JSON {
		err := c.json(all)
		if err == nil && len(all.Refused) > 0 {
			err = exitCode{code: exitFailed}
		}
		return err
	}
	if all.LocalOnly {
		c.printf("rolled back on this gateway only: the event log did not take it, and gets it when it is back")
	}
	for _, m := range all.Migrations {
		c.printf("%s: %s%s, event %d", m.ID, m.Split, rampText(m), m.Seq)
	}
	for _, refused := range all.Refused {
		c.printf("%s: not rolled back: %s", refused.Migration, refused.Detail)
	}
	if len(all.Refused) > 0 {
		return exitCode{code: exitFailed}
	}
	c.printf("rolled back in %s", time.Since(start).Round(time.Millisecond))
	return nil
}

// warnOfLoad says before a rollback what it brings to the monolith, if that is
// more than it carried of late. It never keeps the rollback waiting for long.
func (c *call) warnOfLoad(cl *client.Client, id string) {
	ctx, cancel := context.WithTimeout(c.ctx, time.Second)
	defer cancel()
	state, err := cl.State(ctx)
	if err != nil {
		return // the rollback will say what is wrong
	}
	for _, m := range state.Migrations {
		if load := m.WayBack; load != nil && load.New && (id == "" || id == m.ID) {
			fmt.Fprintf(c.stderr, "warning: %s: %s\n", m.ID, load.Text)
		}
	}
}
