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

	Takeover bool `help:"Take over from the gateway that uses the same state, if one runs: no request fails, and it ends when it has nothing under way."`
}

// Run runs the gateway until a signal ends it.
func (r runCommand) Run(c *call) error {
	if r.Legacy != "" && r.Config != "" {
		return exitCode{exitUsage, errors.New("give --legacy or --config, not both: a config names its own monolith")}
	}
	config := Config{Path: r.Config, Access: c.stdout, Provider: c.provider, Takeover: r.Takeover, Successor: successor(c.args)}
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
	collectLate()
	p, err := Start(c.ctx, config)
	if err != nil {
		return err
	}
	return p.attend(c)
}

// attend reloads on SIGHUP, starts its successor on SIGUSR2, and ends on SIGINT,
// SIGTERM, a broken listener or when another process has taken over. A second
// signal ends the process at once.
func (p *Process) attend(c *call) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGUSR2)
	defer signal.Stop(signals)
	p.notify("READY=1", fmt.Sprintf("MAINPID=%d", os.Getpid()))
	watchdog, stop := context.WithCancel(context.Background())
	defer stop()
	go p.bark(watchdog)
	for {
		select {
		case s := <-signals:
			if s == syscall.SIGUSR2 {
				go func() { _, _ = p.upgrade(c.ctx) }() // says itself what becomes of it
				continue
			}
			p.notify("RELOADING=1", "MONOTONIC_USEC="+monotonic())
			p.Reload(c.ctx)
			p.notify("READY=1")
		case err := <-p.Failed():
			_ = p.Shutdown(context.Background())
			return err
		case <-p.TakenOver():
			stop()
			p.notify(fmt.Sprintf("MAINPID=%d", p.handed.to().PID))
			return p.end(c.ctx)
		case <-c.ctx.Done():
			p.notify("STOPPING=1")
			return p.end(c.ctx)
		}
	}
}

// end drains. A signal to drain says nothing new to a process that does so
// already since another has taken over; the one after that ends it at once.
func (p *Process) end(first context.Context) error {
	go func() {
		<-first.Done()
		p.endAtOnce()
	}()
	if err := p.Shutdown(context.Background()); err != nil {
		return fmt.Errorf("some requests did not end in time and were cut off: %w", err)
	}
	return nil
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
