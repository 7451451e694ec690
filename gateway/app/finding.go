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

// A findingsCommand is what people do with findings.
type findingsCommand struct {
	List        findingsListCommand      `cmd:"" default:"withargs" help:"List findings, those that matter most first."`
	Show        findingsShowCommand      `cmd:"" help:"Show one finding side by side. The gateway's log says who looked."`
	Endpoints   findingsEndpointsCommand `cmd:"" help:"List what is compared, with the latency of both sides."`
	Acknowledge findingsKnownCommand     `cmd:"" help:"Say that somebody knows of a finding."`
	Mute        findingsMuteCommand      `cmd:"" help:"Hide a finding for a time."`
	Accept      findingsAcceptCommand    `cmd:"" help:"Let the rules that a finding suggests count, for a time."`
	Fix         findingsFixCommand       `cmd:"" help:"Say that a finding is fixed; if it comes back, it says so."`
	Erase       findingsEraseCommand     `cmd:"" help:"Drop every example of one targeting key."`
}

type findingsListCommand struct {
	remote
	Migration string `arg:"" optional:"" help:"Id of a migration; all without."`
	State     string `help:"suspected, open, acknowledged, muted, fixed or all. Default: those that people should see." placeholder:"STATE"`
	Endpoint  string `help:"Only endpoints whose name holds this." placeholder:"TEXT"`
	Limit     int    `help:"At most so many. Default: ${default}." default:"50" placeholder:"N"`
}

// Run lists findings.
func (f findingsListCommand) Run(c *call) error {
	cl, err := f.client(c, "", false)
	if err != nil {
		return err
	}
	defer cl.Close()
	page, err := cl.Findings(c.ctx, dashboard.FindingsFilter{Migration: f.Migration, State: f.State, Endpoint: f.Endpoint, Limit: f.Limit})
	if err != nil {
		return err
	}
	if f.JSON {
		return c.json(page)
	}
	all, err := cl.Comparisons(c.ctx, f.Migration)
	if err != nil {
		return err
	}
	for _, one := range all.Comparisons {
		c.printf("%s: %s", one.Migration, countsText(one.Counts))
	}
	if len(page.Findings) == 0 {
		c.printf("no findings")
		return nil
	}
	if err := c.listFindings(page.Findings); err != nil {
		return err
	}
	if rest := page.Total - len(page.Findings); rest > 0 {
		c.printf("and %d more; see --limit", rest)
	}
	return nil
}

// listFindings writes a table of findings.
func (c *call) listFindings(list []dashboard.Finding) error {
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSEVERITY\tSTATE\tSHARE\tENDPOINT\tWHAT")
	for _, f := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", f.ID, f.Severity, stateText(f), shareText(f), f.Endpoint, signsText(f))
	}
	return w.Flush()
}

func stateText(f dashboard.Finding) string {
	switch {
	case f.RegressedAt != nil && f.State == compare.Open:
		return "back again"
	case f.State == compare.Muted && f.Until != nil:
		return "muted until " + f.Until.Format(time.DateTime)
	}
	return string(f.State)
}

func shareText(f dashboard.Finding) string { return fmt.Sprintf("%d of %d", f.Count, f.Of) }

func signsText(f dashboard.Finding) string {
	var texts []string
	for i, s := range f.Signs {
		if i == 3 {
			texts = append(texts, fmt.Sprintf("and %d more", len(f.Signs)-i))
			break
		}
		texts = append(texts, s.Path+": "+string(s.Kind))
	}
	return strings.Join(texts, "; ")
}

// countsText says what has become of all observations.
func countsText(n dashboard.ComparisonCounts) string {
	text := fmt.Sprintf("%d sampled", n.Sampled)
	for i, o := range [...]compare.Outcome{compare.Match, compare.Mismatch, compare.Failed, compare.TimedOut, compare.Truncated, compare.Undecodable, compare.Dropped} {
		if n.Outcomes[o] == 0 && i > 1 {
			continue
		}
		sep := " + "
		if i == 0 {
			sep = " = "
		}
		text += fmt.Sprintf("%s%d %s", sep, n.Outcomes[o], outcomeText(o))
	}
	if n.Pending > 0 {
		text += fmt.Sprintf(" + %d pending", n.Pending)
	}
	var reasons []string
	for _, reason := range sortedNames(n.Dropped) {
		reasons = append(reasons, fmt.Sprintf("%s %d", reason, n.Dropped[reason]))
	}
	if len(reasons) > 0 {
		text += " (dropped: " + strings.Join(reasons, ", ") + ")"
	}
	return text
}

func outcomeText(o compare.Outcome) string {
	if o == compare.Failed {
		return "unanswered"
	}
	return string(o)
}

type findingsShowCommand struct {
	remote
	ID string `arg:"" help:"Id of the finding."`
	As string `help:"Who looks. Default: the user who runs the command." env:"FICUS_ACTOR" placeholder:"NAME"`
}

// Run shows one finding at length.
func (f findingsShowCommand) Run(c *call) error {
	cl, err := f.client(c, change{As: f.As}.actor(), false)
	if err != nil {
		return err
	}
	defer cl.Close()
	one, err := cl.Finding(c.ctx, f.ID)
	if err != nil {
		return err
	}
	if f.JSON {
		return c.json(one)
	}
	return c.describeFinding(one)
}

// describeFinding shows a finding with its smallest example.
func (c *call) describeFinding(f dashboard.Finding) error {
	c.printf("%s  %s, %s, %s", f.ID, f.Endpoint, f.Severity, stateText(f))
	row := func(name, format string, args ...any) { c.printf("  %-10s %s", name, fmt.Sprintf(format, args...)) }
	if f.Migration != "" {
		row("migration", "%s", f.Migration)
	}
	row("seen", "%s observations, from %s to %s", shareText(f), f.First.Format(time.RFC3339), f.Last.Format(time.RFC3339))
	if f.Where != "" {
		row("where", "%s", f.Where)
	}
	if f.Races > 0 {
		row("races", "%d went away when both sides were asked again", f.Races)
	}
	if f.Unlearned {
		row("noise", "not learned: the route is not repeatable, so rules and classes alone say so")
	}
	if f.RegressedAt != nil {
		row("back", "it was fixed, and was seen again at %s", f.RegressedAt.Format(time.RFC3339))
	}
	if f.Note != "" {
		row("note", "%s", f.Note)
	}
	if len(f.Examples) == 0 {
		c.printf("\nno examples are kept any more")
		return nil
	}
	e := f.Examples[0]
	c.printf("\nthe smallest of %d examples, at %s: %s", len(f.Examples), e.Time.Format(time.RFC3339), dash(e.Target))
	if err := c.sideBySide(e); err != nil {
		return err
	}
	for i, s := range f.Suggestions {
		if i == 0 {
			c.printf("\nrules that would accept it, under compare: {rules: [...]}")
		}
		c.printf("  %s  # resolves %d of %d", ruleText(s), s.Resolves, s.Of)
	}
	for i, line := range f.Reproduce {
		if i == 0 {
			c.printf("\nto see it again, with the cookies that it takes")
		}
		c.printf("  %s", line)
	}
	return nil
}

// ruleText writes a rule as the config has it.
func ruleText(s dashboard.Suggestion) string {
	if s.With == "" {
		return fmt.Sprintf("{do: %s, path: %q}", s.Do, s.Path)
	}
	return fmt.Sprintf("{do: %s, path: %q, with: %q}", s.Do, s.Path, s.With)
}

// sideBySide writes differences in two columns. A "~" marks what is there on
// both sides, "-" and "+" what only the control or only the candidate has.
func (c *call) sideBySide(e dashboard.Example) error {
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\tPATH\tCONTROL%s\tCANDIDATE%s\tKIND\n", ofSide(e.ControlSide), ofSide(e.CandidateSide()))
	for _, d := range e.Differences {
		mark, path := "~", d.Path
		switch {
		case d.Candidate.Class == compare.ClassAbsent:
			mark = "-"
		case d.Control.Class == compare.ClassAbsent:
			mark = "+"
		}
		if d.Instance != "" {
			path = d.Instance
		}
		kind := string(d.Kind)
		if d.Count > 1 {
			kind += fmt.Sprintf(", at %d places of %s", d.Count, d.Path)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", mark, path, valueText(d.Control), valueText(d.Candidate), kind)
	}
	if e.ControlTrace != "" || e.CandidateTrace != "" {
		fmt.Fprintf(w, "\ttrace\t%s\t%s\t\n", dash(e.ControlTrace), dash(e.CandidateTrace))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if e.More > 0 {
		c.printf("and %d differences more", e.More)
	}
	return nil
}

func ofSide(side migrations.Side) string {
	if side == "" {
		return ""
	}
	return " (" + string(side) + ")"
}

// valueText shows a value, or what is told of it.
func valueText(v dashboard.Value) string {
	switch {
	case v.Class == compare.ClassAbsent:
		return "-"
	case v.Text != "":
		if r := []rune(v.Text); len(r) > 60 {
			return string(r[:59]) + "…"
		}
		return v.Text
	case v.Mark != "":
		return fmt.Sprintf("%s, %d bytes, #%s", v.Class, v.Length, v.Mark[:6])
	}
	return fmt.Sprintf("%s, %d bytes", v.Class, v.Length)
}
