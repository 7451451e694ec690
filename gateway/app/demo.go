package app

import (
	"context"
	"os"
	"time"

	"github.com/ficus-gateway/ficus/examples/shop/load"
)

type demoCommand struct {
	For      time.Duration `help:"End after so long, or a little later if a bug has not been rolled back by then. Default: run until interrupted." placeholder:"DURATION"`
	ExitCode bool          `help:"Exit with 1 if a customer saw an error, if a planted bug was not rolled back, or if somebody changed sides otherwise."`
	Listen   string        `help:"Address of the gateway; another port if it is taken. Default: ${default}." default:"127.0.0.1:8080" placeholder:"ADDR"`
	Admin    string        `help:"Address of the admin listener; another port if it is taken. Default: ${default}." default:"127.0.0.1:9900" placeholder:"ADDR"`
	Rate     float64       `help:"Requests per second of the load. Default: ${default}." default:"400" placeholder:"N"`
	Users    int           `help:"Customers with an account; half as many again have none. Default: ${default}." default:"160" placeholder:"N"`
}

// Help says what is seen.
func (demoCommand) Help() string {
	return `A shop's monolith, its extracted orders service, the gateway in front of both and customers who
buy things all run in this one process, on the loopback. The orders migration moves by itself, step
by step. Three bugs are planted in the service on the way: it fails, it shows wrong prices, it is
slow. Nobody intervenes: the guard takes each of them back, and says why, with numbers that can be
computed again. The addresses and the config file are printed first: open the shop in a browser,
edit the config, or ask the gateway from another terminal.`
}

// pace is how long a step of the demo's ramp is held at least.
func (d demoCommand) pace() time.Duration {
	if d.For == 0 {
		return 3 * time.Second
	}
	return min(max(d.For/20, 500*time.Millisecond), 3*time.Second)
}

// Run shows a migration that moves, and comes back, by itself.
func (d demoCommand) Run(c *call) error {
	dir, err := os.MkdirTemp("", "ficus-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	screen := newScreen(c.stdout)
	stage, err := d.set(c.ctx, dir)
	if err != nil {
		return err
	}
	defer stage.strike()
	customers, err := load.New(load.Config{
		Target: stage.shop, Users: d.Users, Guests: d.Users / 2, Rate: d.Rate, Timeout: 10 * time.Second, Seed: 1,
		Mix: load.Mix{Browse: 20, List: 30, Show: 30, Create: 15, Cart: 5},
	})
	if err != nil {
		return err
	}
	stage.announce(screen, d)

	ctx, end := context.WithCancel(c.ctx)
	defer end()
	story := newStory(stage, screen, customers, d.pace())
	if d.For == 0 {
		story.open = ". The shop stays open; Ctrl-C ends the demo"
	}
	told := make(chan struct{})
	go func() {
		defer close(told)
		story.tell(ctx)
	}()
	done := make(chan *load.Report, 1)
	go func() { done <- customers.Run(ctx) }()
	go screen.watch(ctx, stage, customers)

	if d.For > 0 {
		d.wait(ctx, story)
		end()
	}
	report := <-done
	<-told
	screen.clear()
	return d.verdict(screen, stage, story, report)
}

// wait waits for the end of the demo: its time, and the bugs that are still to
// be taken back by then, with some patience for a machine that has other things
// to do.
func (d demoCommand) wait(ctx context.Context, s *story) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(d.For):
	}
	select {
	case <-ctx.Done():
	case <-s.over:
	case <-time.After(max(d.For, 30*time.Second)):
	}
}
