package app

import (
	"fmt"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
)

// row writes one line of a description. Without a name it goes on with the
// line before.
func (c *call) row(name, format string, args ...any) {
	c.printf("  %-9s %s", name, fmt.Sprintf(format, args...))
}

// describe shows one migration at length.
func (c *call) describe(m dashboard.Migration) {
	c.printf("%s: from %s to %s", m.ID, m.From, m.To)
	if m.Reason != "" {
		c.row("why", "%s (%s, event %d)", m.Reason, m.Actor, m.Seq)
	}
	if m.Key != "" {
		c.row("key", "%s", m.Key)
	}
	if f := m.Flags; f != nil && f.Controls != dashboard.ControlsRamp {
		c.row("flag", "%s", flagText(f))
	}
	if m.Owner != "" {
		c.row("owner", "%s", m.Owner)
	}
	if m.Frozen != "" {
		c.row("frozen", "%s", m.Frozen)
	}
	for _, cell := range m.Cells {
		c.describeCell(m, cell)
	}
	if t := m.Traffic; t != nil {
		c.row("traffic", "legacy %s, modern %s, keyless %d since %s", sideText(t.Legacy), sideText(t.Modern), t.Keyless, t.Since.Format(time.RFC3339))
	}
	if u := m.Usual; u != nil {
		c.row("usual", "%.0f people an hour, %.1f requests each, of which %.2g %% are bad on the monolith", u.Hourly, u.Requests, 100*u.Bad)
	}
	if m.Lag != nil {
		c.row("lag", "%s", lagText(*m.Lag))
	}
	if m.InUse > 0 {
		c.row("in use", "%.0f %% of the service's connections, at the most of late", 100*m.InUse)
	}
	if m.WayBack != nil {
		c.row("way back", "%s", m.WayBack.Text)
	}
	if m.FalseAlarm > 0 {
		c.row("alarms", "%s is the chance that it is ever rolled back without cause; %s of that may be spent by tests so far (%d)", percent(m.FalseAlarm), percent(m.Spent), m.Tests)
	}
}

func (c *call) describeCell(m dashboard.Migration, cell dashboard.Cell) {
	if cell.Name != "" {
		c.row("cell", "%s", cell.Name)
	}
	c.row("split", "%s", cellSplit(cell))
	c.row("since", "%s (event %d)", cell.Since.Format(time.RFC3339), cell.Epoch)
	c.row("ramp", "%s", stepText(m, cell))
	for i, s := range m.Steps {
		mark := " "
		if i+1 == cell.Step {
			mark = ">"
		}
		c.row("", "%s %d. %s%s", mark, i+1, s.Split, needs(s))
		if s.Sees != "" && i+1 >= cell.Step {
			c.row("", "      %s", s.Sees)
		}
	}
	if cell.Resumes != nil {
		text := "before the first step"
		if *cell.Resumes > 0 {
			text = fmt.Sprintf("at step %d of %d", *cell.Resumes, len(m.Steps))
		}
		c.row("resume", "would go on %s", text)
	}
	named := "waits"
	for _, w := range m.WaitsFor {
		if w.Cell == cell.Name || w.Cell == "" {
			c.row(named, "%s", w.Text)
			named = ""
		}
	}
	if named != "" {
		c.row(named, "-")
	}
	if cell.Test != nil {
		c.describeTest(*cell.Test)
	}
}

func lagText(l dashboard.Lag) string {
	if l.Trouble != "" {
		return l.Trouble
	}
	return fmt.Sprintf("the data lags behind by %s, and %s can be borne", l.Behind, l.Limit)
}

// needs says what a step asks for.
func needs(s dashboard.Step) string {
	var parts []string
	if s.Hold != "" {
		parts = append(parts, "for "+s.Hold)
	}
	if s.Requests > 0 {
		parts = append(parts, fmt.Sprintf("%d clean requests", s.Requests))
	}
	if s.Observations > 0 {
		parts = append(parts, fmt.Sprintf("%d comparisons", s.Observations))
	}
	if s.Approve {
		parts = append(parts, "approved by a person")
	}
	if len(parts) == 0 {
		return ""
	}
	return "  (" + strings.Join(parts, ", ") + ")"
}

func (c *call) describeTest(t dashboard.Test) {
	c.row("test", "number %d, since event %d; it may spend %s of false alarms", t.Number, t.Event, percent(t.Alpha))
	if !t.Counted {
		c.row("", "no gateway has counted in it yet")
		return
	}
	c.row("", "requests: monolith %s, service %s; %s", sideText(t.Legacy), sideText(t.Modern), people(t.People))
	if t.Cohort+t.Keyless > 0 {
		c.row("", "not in it: %d requests of cohorts, %d without a key", t.Cohort, t.Keyless)
	}
	if t.Observed != nil && t.Observed.Sampled > 0 {
		c.row("", "%d comparisons, %d differ or failed", t.Observed.Compared(), t.Observed.Mismatch+t.Observed.Failed+t.Observed.TimedOut)
	}
	if t.Harm > 0 {
		c.row("", "%d requests failed for the user", t.Harm)
	}
	if t.OneNetwork {
		c.row("", "all requests come from one client network; if it is a proxy, add it to trusted_proxies, if it is all users: guard: {networks: off}")
	}
	if t.Aside+t.Blameless > 0 {
		c.row("", "not held against the service: %d failures of a restart that fallback healed, %d that the monolith shared", t.Aside, t.Blameless)
	}
	if len(t.Slow) > 0 {
		c.row("", "slow is what takes the monolith longer than its %s", strings.Join(t.Slow, ", "))
	}
	var counted, quiet []string
	for _, w := range t.Weights {
		if w.Service+w.Legacy == 0 {
			quiet = append(quiet, string(w.Metric))
		} else {
			counted = append(counted, w.Text)
		}
	}
	if len(quiet) > 0 {
		counted = append(counted, "nothing counted: "+strings.Join(quiet, ", "))
	}
	named := "guard"
	for _, text := range counted {
		c.row(named, "%s", text)
		named = ""
	}
}

// people counts those on the service as far as they are counted.
func people(n int) string {
	if n >= 64 {
		return "64 users or more on the service"
	}
	return fmt.Sprintf("%d users on the service", n)
}
