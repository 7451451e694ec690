package app

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

type statusCommand struct {
	remote
	Migration string `arg:"" optional:"" help:"Id of a migration; all without."`
}

// Run shows where the migrations stand.
func (s statusCommand) Run(c *call) error {
	cl, err := s.client(c, "", false)
	if err != nil {
		return err
	}
	defer cl.Close()
	if s.Migration != "" {
		m, err := cl.Migration(c.ctx, s.Migration)
		if err != nil {
			return err
		}
		if s.JSON {
			return c.json(m)
		}
		c.describe(m)
		return nil
	}
	state, err := cl.State(c.ctx)
	if err != nil {
		return err
	}
	if s.JSON {
		return c.json(state)
	}
	ready, err := cl.Ready(c.ctx)
	if err != nil {
		return err
	}
	if f := state.Flags; f != nil && f.Source != migrations.BuiltIn {
		c.printf("flags: %s decides; change the flag there", f.Source)
	}
	for _, check := range ready.Checks {
		if !check.OK {
			c.printf("! %s: %s", check.Name, check.Detail)
		}
	}
	if ready.Draining {
		c.printf("! the gateway is shutting down")
	}
	compared, err := cl.Comparisons(c.ctx, "")
	if err != nil {
		return err
	}
	for _, m := range compared.Comparisons {
		if wrong := m.Counts.Outcomes[compare.Mismatch] + m.Counts.Outcomes[compare.Failed] + m.Counts.Outcomes[compare.TimedOut]; wrong > 0 && len(m.Findings) > 0 { // without a finding, both failed or it was a moment
			c.printf("! %s: %d of %d comparisons differ or were not answered; see: ficus findings %s", m.Migration, wrong, m.Counts.Sampled-m.Counts.Outcomes[compare.Dropped], m.Migration)
		}
	}
	if state.Frozen != "" {
		c.printf("! no ramp moves forward: %s", state.Frozen)
	}
	if len(state.Migrations) == 0 {
		c.printf("no migrations; everything goes where its route says")
		return nil
	}
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MIGRATION\tSTAGE\tSPLIT\tRAMP\tLEGACY\tMODERN\tGUARD\tWAITS FOR")
	for _, m := range state.Migrations {
		legacy, modern := trafficText(m)
		for i, cell := range m.Cells {
			name := cellName(m.ID, cell.Name)
			if i > 0 {
				legacy, modern = "", ""
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", name, cell.Stage, cellSplit(cell), stepText(m, cell), legacy, modern, guardText(cell), waitsFor(m, cell))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if state.FalseAlarm > 0 {
		c.printf("false alarms: %s at most for all migrations together, of which %s may be spent", percent(state.FalseAlarm), percent(state.Spent))
	}
	return nil
}

// cellName names a cell of a migration, "orders/eu", or the migration if it has none.
func cellName(migration, cell string) string {
	if cell == "" {
		return migration
	}
	return migration + "/" + cell
}

func cellSplit(cell dashboard.Cell) string {
	if cell.Unknown {
		return "not known"
	}
	return cell.Split
}

func stepText(m dashboard.Migration, cell dashboard.Cell) string {
	text := string(cell.Ramp)
	switch {
	case m.Retired:
		return "retired"
	case cell.Return != nil:
		return "coming back until " + cell.Return.Until.Format(time.TimeOnly)
	case cell.RolledBack:
		text = "rolled back"
	case m.Flags != nil && m.Flags.Controls != dashboard.ControlsRamp:
		text = "by its flag"
	case cell.Ramp != migrations.RampIdle && len(m.Steps) > 0:
		text = fmt.Sprintf("%s, step %d of %d", cell.Ramp, cell.Step, len(m.Steps))
	}
	if cell.Cause != "" {
		text += " (" + cell.Cause.Text() + ")"
	}
	if m.Frozen != "" {
		text += ", frozen"
	}
	return text
}

// guardText shows how near the strongest evidence is to a rollback.
func guardText(cell dashboard.Cell) string {
	if cell.Test == nil || len(cell.Test.Weights) == 0 {
		return "-"
	}
	top := slices.MaxFunc(cell.Test.Weights, func(a, b dashboard.Weight) int { return cmp.Compare(a.Near(), b.Near()) })
	if near := top.Near(); near >= 0.05 {
		return fmt.Sprintf("%s at %.0f %% of the threshold", top.Metric, 100*near)
	}
	return "ok"
}

func trafficText(m dashboard.Migration) (legacy, modern string) {
	if m.Traffic == nil {
		return "-", "-"
	}
	return sideText(m.Traffic.Legacy), sideText(m.Traffic.Modern)
}

func sideText(c dashboard.SideCounts) string {
	switch {
	case c.Slow > 0:
		return fmt.Sprintf("%d (%d slow, %d failed)", c.Requests, c.Slow, c.Failed)
	case c.Failed > 0:
		return fmt.Sprintf("%d (%d failed)", c.Requests, c.Failed)
	}
	return fmt.Sprint(c.Requests)
}

// waitsFor says in one line what a cell waits for.
func waitsFor(m dashboard.Migration, cell dashboard.Cell) string {
	var texts []string
	for _, l := range m.LocalOnly {
		of := ""
		if l.Cell != "" {
			of = " (cell " + l.Cell + ")"
		}
		texts = append(texts, "ROLLED BACK HERE ONLY"+of+", until the event log takes it: "+l.Reason)
	}
	for _, w := range m.WaitsFor {
		if w.Cell == cell.Name || w.Cell == "" {
			texts = append(texts, w.Text)
		}
	}
	if len(texts) == 0 {
		return "-"
	}
	return strings.Join(texts, "; ")
}

// percent writes a chance.
func percent(f float64) string { return fmt.Sprintf("%.2g %%", 100*f) }
