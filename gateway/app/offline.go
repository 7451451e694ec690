package app

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations/compare"
	"github.com/ficus-gateway/ficus/routes"
)

// offline are the flags of commands that compare without a gateway.
type offline struct {
	Config    string `short:"c" help:"Config file, for the rules of a migration. Default, with --migration: ficus.yaml." type:"path" placeholder:"FILE"`
	Migration string `help:"Id of the migration whose rules hold." placeholder:"ID"`
	Mask      bool   `help:"Hide values, for a report that others read."`
	JSON      bool   `name:"json" help:"Write JSON, for programs."`
}

// rules compiles the rules of the migration, if one is named.
func (o offline) rules(hosts ...string) (*compare.Rules, error) {
	def := compare.Definition{Hosts: hosts}
	if o.Config != "" && o.Migration == "" {
		return nil, exitCode{exitUsage, errors.New("say with --migration whose rules of the config hold")}
	}
	if o.Migration != "" {
		if o.Config == "" {
			o.Config = "ficus.yaml"
		}
		table, err := routes.Load(o.Config)
		if err != nil {
			return nil, err
		}
		plan := table.Plans[o.Migration]
		if plan == nil {
			return nil, exitCode{exitUsage, fmt.Errorf("%s has no migration %q", o.Config, o.Migration)}
		}
		def.Rules, def.Skew = append(def.Rules, plan.Compare.Rules...), plan.Compare.Skew
	}
	if o.Mask {
		def.MaskKey = []byte(rand.Text())
	} else {
		for _, all := range []string{"$", "$..*", "header.*", "text"} {
			def.Rules = append(def.Rules, compare.Rule{Do: compare.Keep, Path: all})
		}
	}
	return compare.CompileRules(def, time.Now())
}

// errDifferent ends a command that found what it looked for.
var errDifferent = exitCode{code: exitFailed}

type compareCommand struct {
	offline
	Control   string `arg:"" help:"Answer of the side to trust, as curl -i writes it." type:"existingfile"`
	Candidate string `arg:"" help:"Answer of the other side." type:"existingfile"`
}

// Help says what the exit code means.
func (compareCommand) Help() string {
	return `Exit code 0: the same, by the rules; 1: they differ.

    curl -sSi http://localhost:3000/api/orders/7 > legacy.http
    curl -sSi http://localhost:3001/api/orders/7 > modern.http
    ficus compare legacy.http modern.http --migration orders`
}

// A comparedAnswers is what compare writes as JSON.
type comparedAnswers struct {
	Outcome     compare.Outcome        `json:"outcome"`
	Why         string                 `json:"why,omitempty"`
	Differences []dashboard.Difference `json:"differences"`
	More        int                    `json:"more,omitempty"`
}

// Run compares two files.
func (cc compareCommand) Run(c *call) error {
	rules, err := cc.rules()
	if err != nil {
		return err
	}
	control, err := readAnswer(cc.Control)
	if err != nil {
		return exitCode{exitUsage, err}
	}
	candidate, err := readAnswer(cc.Candidate)
	if err != nil {
		return exitCode{exitUsage, err}
	}
	r := compare.Compare(control, candidate, rules, nil)
	out := comparedAnswers{r.Outcome, r.Why, dashboard.DifferencesOf(r.Differences), r.More}
	switch {
	case cc.JSON:
		if err := c.json(out); err != nil {
			return err
		}
	case r.Outcome == compare.Match:
		c.printf("the same, by the rules")
	default:
		text := string(r.Outcome)
		if r.Why != "" {
			text += ": " + r.Why
		}
		c.printf("%s", text)
		if err := c.sideBySide(dashboard.Example{Differences: out.Differences, More: out.More}); err != nil {
			return err
		}
	}
	if r.Outcome != compare.Match {
		return errDifferent
	}
	return nil
}

// hostsOf are the names by which links lead to the sides.
func hostsOf(urls ...*url.URL) (hosts []string) {
	for _, u := range urls {
		hosts = append(hosts, u.Host)
	}
	return hosts
}
