package app

import (
	"fmt"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/redislog"
	"github.com/ficus-gateway/ficus/routes"
)

type checkCommand struct {
	Config string `short:"c" help:"Config file. Default: ${default}." default:"ficus.yaml" type:"path" placeholder:"FILE"`
	State  string `help:"Check against this event log as well, as a reload would: file:PATH or redis://HOST." placeholder:"LOG"`
	Quiet  bool   `short:"q" help:"Say nothing but what is wrong."`
	Strict bool   `help:"Warnings are errors."`
}

// Run checks the config, and nothing else.
func (ch checkCommand) Run(c *call) error {
	table, err := routes.Load(ch.Config, routes.Override{State: ch.State})
	if err != nil {
		return err
	}
	if table.Server.Redis != nil {
		if _, err := redislog.Name(table.Server.State); err != nil {
			return exitCode{exitUsage, err}
		}
	}
	var state migrations.State
	if ch.State != "" {
		log, end, err := readLog(c.ctx, table.Server, c.quiet())
		if err != nil {
			return exitCode{exitUsage, err}
		}
		defer end()
		state, err = migrations.Latest(c.ctx, log)
		if err != nil {
			return exitCode{exitUsage, err}
		}
		if problems := routes.CheckReload(nil, table, state); len(problems) > 0 {
			return problems
		}
	}
	warnings, err := checkFlags(table)
	if err != nil {
		return err
	}
	table.Warnings = append(table.Warnings, warnings...)
	warnings, problems := checkMetrics(c.ctx, table, time.Now())
	if len(problems) > 0 {
		return problems
	}
	table.Warnings = append(table.Warnings, warnings...)
	for _, w := range table.Warnings {
		fmt.Fprintf(c.stderr, "warning: %s\n", w.Error())
	}
	if ch.Strict && len(table.Warnings) > 0 {
		return exitCode{exitUsage, nil}
	}
	if !ch.Quiet {
		fmt.Fprint(c.stdout, table.Summary())
		c.sights(table, state, time.Now())
		c.printf("\n%s is good", ch.Config)
	}
	return nil
}
