package app

import (
	"fmt"
	"slices"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

type diffCommand struct {
	remote
	Config string `short:"c" help:"Config file. Default: ${default}." default:"ficus.yaml" type:"path" placeholder:"FILE"`
	State  string `help:"Read this event log instead of asking the gateway: file:PATH or redis://HOST." placeholder:"LOG"`
}

// Help says what the exit code means.
func (diffCommand) Help() string {
	return `Exit code 0: the log is as the file says; 1: they differ; 2: a reload of the file would be refused.`
}

// A configDiff is where a config and the log differ.
type configDiff struct {
	Config     string          `json:"config"`
	Seq        uint64          `json:"seq"` // of the log
	Same       bool            `json:"same"`
	Migrations []migrationDiff `json:"migrations"` // those that differ, by id
	Reload     []string        `json:"reload"`     // what a reload would append to the log
	Refused    []string        `json:"refused"`    // why a reload would be refused; empty: it would not
}

// A migrationDiff is where the config and the log differ in one migration.
type migrationDiff struct {
	ID     string       `json:"id"`
	In     string       `json:"in"`               // "both", "file" or "log"
	Stands string       `json:"stands,omitempty"` // where it stands by the log
	Fields []difference `json:"fields,omitempty"`
}

// A difference is one thing that is not the same.
type difference struct {
	What string `json:"what"`
	File string `json:"file"`
	Log  string `json:"log"`
}

// Run compares.
func (d diffCommand) Run(c *call) error {
	table, err := routes.Load(d.Config, routes.Override{State: d.State})
	if err != nil {
		return err
	}
	var rec logged
	if d.State != "" {
		rec, err = readLogged(c.ctx, table.Server, c)
	} else {
		rec, err = d.ask(c)
	}
	if err != nil {
		return err
	}
	out := diffOf(d.Config, table, rec)
	if d.JSON {
		err = c.json(out)
	} else {
		out.print(c)
	}
	switch {
	case err != nil:
		return err
	case len(out.Refused) > 0:
		return exitCode{code: exitUsage}
	case !out.Same:
		return errDifferent
	}
	return nil
}

// diffOf holds a config against what the log has.
func diffOf(name string, t *routes.Table, rec logged) configDiff {
	out := configDiff{Config: name, Seq: rec.state.Seq, Migrations: []migrationDiff{}, Reload: []string{}, Refused: []string{}}
	ids := append(sortedNames(t.Plans), rec.state.IDs()...)
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		plan := t.Plans[id]
		m, known := rec.state.Migrations[id]
		known = known && !m.Retired
		d := migrationDiff{ID: id, In: "both"}
		switch {
		case plan == nil:
			d.In = "log"
		case !known && plan.Retired:
			continue
		case !known:
			d.In = "file"
		default:
			d.Fields = fieldsOf(*plan, m, rec.steps[id], rec.all)
		}
		if d.In != "both" || len(d.Fields) > 0 {
			if known {
				d.Stands = standsAt(m)
			}
			out.Migrations = append(out.Migrations, d)
		}
	}
	for _, problem := range routes.CheckReload(nil, t, rec.state) {
		out.Refused = append(out.Refused, problem.Error())
	}
	if len(out.Refused) == 0 {
		for _, e := range routes.Reconcile(t, rec.state) {
			out.Reload = append(out.Reload, fmt.Sprintf("%s: %s, %s", e.Migration, e.Kind, e.Reason))
		}
	}
	out.Same = len(out.Migrations)+len(out.Reload)+len(out.Refused) == 0
	return out
}

func standsAt(m migrations.Migration) string {
	text := m.Split.String()
	switch {
	case m.Unknown:
		text = "not known, by " + m.Outside.Source
	case m.RolledBack:
		text += ", rolled back"
	case m.Ramp != migrations.RampIdle:
		text += fmt.Sprintf(", ramp %s at step %d", m.Ramp, m.Step)
	}
	return text
}

// fieldsOf lists what is not the same in a migration that both have.
func fieldsOf(p migrations.Plan, m migrations.Migration, steps map[int]string, all bool) (out []difference) {
	add := func(what, file, log string) {
		if file != log {
			out = append(out, difference{what, dash(file), dash(log)})
		}
	}
	if p.Retired {
		add("retired", "yes", "no")
		return out
	}
	add("from", p.From, m.From)
	add("to", p.To, m.To)
	add("key", p.KeyString(), m.Key)
	if m.Flag != "" { // older logs do not have it
		add("flag", p.Flag, m.Flag)
	}
	add("resume", p.Resume, m.Resume)
	for n := 1; n <= max(len(p.Steps), highest(steps)); n++ {
		file, log := "", steps[n]
		if n <= len(p.Steps) {
			s := p.Steps[n-1]
			file = stepLine(p.Split(n).String(), s.Hold, s.Requests, s.Observations, s.Approve)
		}
		if all || log != "" { // of a step that was not taken yet the log has nothing
			add(fmt.Sprintf("step %d", n), file, log)
		}
	}
	if at := p.StepAt(m.Split); at != m.Step && len(p.Steps) > 0 && m.Ramp != migrations.RampIdle {
		add("stands at step", fmt.Sprint(at), fmt.Sprint(m.Step))
	}
	add("plan", p.Hash(), m.Plan)
	return out
}

func highest(steps map[int]string) (n int) {
	for i := range steps {
		n = max(n, i)
	}
	return n
}

func (d configDiff) print(c *call) {
	if d.Same {
		c.printf("%s and the log (event %d) say the same", d.Config, d.Seq)
		return
	}
	for _, m := range d.Migrations {
		switch m.In {
		case "file":
			c.printf("%s: only in the file", m.ID)
		case "log":
			c.printf("%s: only in the log, at %s", m.ID, m.Stands)
		default:
			c.printf("%s: at %s", m.ID, m.Stands)
		}
		for _, f := range m.Fields {
			c.printf("  %-14s file: %s", f.What, f.File)
			c.printf("  %-14s log:  %s", "", f.Log)
		}
	}
	for _, line := range d.Reload {
		c.printf("a reload appends: %s", line)
	}
	for _, line := range d.Refused {
		c.printf("a reload is refused: %s", line)
	}
}
