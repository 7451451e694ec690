package app

import (
	"fmt"
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
		if wrong := m.Counts.Outcomes[compare.Mismatch] + m.Counts.Outcomes[compare.Failed] + m.Counts.Outcomes[compare.TimedOut]; wrong > 0 {
			c.printf("! %s: %d of %d comparisons differ; see: ficus findings %s", m.Migration, wrong, m.Counts.Sampled-m.Counts.Outcomes[compare.Dropped], m.Migration)
		}
	}
	if len(state.Migrations) == 0 {
		c.printf("no migrations; everything goes where its route says")
		return nil
	}
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MIGRATION\tSTAGE\tSPLIT\tRAMP\tLEGACY\tMODERN\tWAITS FOR")
	for _, m := range state.Migrations {
		legacy, modern := trafficText(m)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", m.ID, m.Stage, m.Split, stepText(m), legacy, modern, waitsFor(m))
	}
	return w.Flush()
}

func stepText(m dashboard.Migration) string {
	switch {
	case m.Retired:
		return "retired"
	case m.RolledBack:
		return "rolled back"
	case m.Ramp == migrations.RampIdle || len(m.Steps) == 0:
		return string(m.Ramp)
	}
	return fmt.Sprintf("%s, step %d of %d", m.Ramp, m.Step, len(m.Steps))
}

func trafficText(m dashboard.Migration) (legacy, modern string) {
	if m.Traffic == nil {
		return "-", "-"
	}
	return sideText(m.Traffic.Legacy), sideText(m.Traffic.Modern)
}

func sideText(c dashboard.SideCounts) string {
	if c.Failed == 0 {
		return fmt.Sprint(c.Requests)
	}
	return fmt.Sprintf("%d (%d failed)", c.Requests, c.Failed)
}

func waitsFor(m dashboard.Migration) string {
	var texts []string
	for _, l := range m.LocalOnly {
		of := ""
		if l.Cell != "" {
			of = " (cell " + l.Cell + ")"
		}
		texts = append(texts, "ROLLED BACK HERE ONLY"+of+", until the event log takes it: "+l.Reason)
	}
	for _, w := range m.WaitsFor {
		texts = append(texts, w.Text)
	}
	if len(texts) == 0 {
		return "-"
	}
	return strings.Join(texts, "; ")
}

// describe shows one migration at length.
func (c *call) describe(m dashboard.Migration) {
	c.printf("%s: from %s to %s", m.ID, m.From, m.To)
	row := func(name, format string, args ...any) { c.printf("  %-8s %s", name, fmt.Sprintf(format, args...)) }
	row("split", "%s", m.Split)
	row("since", "%s (event %d)", m.Since.Format(time.RFC3339), m.Epoch)
	if m.Reason != "" {
		row("why", "%s (%s, event %d)", m.Reason, m.Actor, m.Seq)
	}
	row("ramp", "%s", stepText(m))
	for i, s := range m.Steps {
		mark := " "
		if i+1 == m.Step {
			mark = ">"
		}
		row("", "%s %d. %s", mark, i+1, s.Split)
	}
	row("waits", "%s", waitsFor(m))
	if m.Key != "" {
		row("key", "%s", m.Key)
	}
	if m.Owner != "" {
		row("owner", "%s", m.Owner)
	}
	if t := m.Traffic; t != nil {
		row("traffic", "legacy %s, modern %s, keyless %d since %s", sideText(t.Legacy), sideText(t.Modern), t.Keyless, t.Since.Format(time.RFC3339))
	}
}
