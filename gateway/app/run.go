package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/routes"
)

type runCommand struct {
	Config string `short:"c" help:"Config file. Default: ficus.yaml, unless --legacy is given." type:"path" placeholder:"FILE"`
	Legacy string `help:"Run without a config file: everything goes to the monolith at this URL." placeholder:"URL"`
	Listen string `help:"Address to listen on, instead of the config's." placeholder:"ADDR"`
	Admin  string `help:"Address of the admin listener, instead of the config's." placeholder:"ADDR"`
	State  string `help:"Event log, instead of the config's: file:PATH or redis://HOST." placeholder:"LOG"`
}

// Run runs the gateway until a signal ends it.
func (r runCommand) Run(c *call) error {
	if r.Legacy != "" && r.Config != "" {
		return exitCode{exitUsage, errors.New("give --legacy or --config, not both: a config names its own monolith")}
	}
	config := Config{Path: r.Config, Access: c.stdout, Provider: c.provider}
	if r.Legacy != "" {
		config.Load = func() (*routes.Table, error) {
			return routes.Default(r.Legacy, routes.Override{Listen: r.Listen, Admin: r.Admin, State: r.State})
		}
	} else {
		if config.Path == "" {
			config.Path = "ficus.yaml"
		}
		if _, err := os.Stat(config.Path); r.Config == "" && errors.Is(err, os.ErrNotExist) {
			return exitCode{exitUsage, errors.New("there is no ficus.yaml here; name a config with -c, or try: ficus run --legacy http://localhost:3000")}
		}
		config.Load = func() (*routes.Table, error) {
			return routes.Load(config.Path, routes.Override{Listen: r.Listen, Admin: r.Admin, State: r.State})
		}
	}
	table, err := config.Load()
	if err != nil {
		return err
	}
	if config.Logger, err = telemetry.NewLogger(c.stderr, table.Server.LogLevel, ""); err != nil {
		return exitCode{exitUsage, err}
	}
	p, err := Start(c.ctx, config)
	if err != nil {
		return err
	}
	return p.attend(c)
}

// attend reloads on SIGHUP and ends on SIGINT, SIGTERM or a broken listener.
// A second signal ends the process at once.
func (p *Process) attend(c *call) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-hup:
			p.Reload(c.ctx)
		case err := <-p.Failed():
			_ = p.Shutdown(context.Background())
			return err
		case <-c.ctx.Done():
			go p.endAtOnce()
			if err := p.Shutdown(context.Background()); err != nil {
				return fmt.Errorf("some requests did not end in time and were cut off: %w", err)
			}
			return nil
		}
	}
}

// endAtOnce ends the process at the next signal. It catches the signal itself:
// a process that a script began in the background would have it ignored.
func (p *Process) endAtOnce() {
	again := make(chan os.Signal, 1)
	signal.Notify(again, os.Interrupt, syscall.SIGTERM)
	<-again
	p.log.Warn("second signal: ending at once", "cut_off", p.gateway.InFlight())
	os.Exit(exitFailed)
}
