package app

import (
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/dashboard/client"
)

// verdict are the flags of commands that say what becomes of a finding.
type verdict struct {
	ID  string `arg:"" help:"Id of the finding."`
	Why string `help:"Reason, shown with the finding." required:"" placeholder:"TEXT"`
	As  string `help:"Who asks. Default: the user who runs the command." env:"FICUS_ACTOR" placeholder:"NAME"`
}

type findingsKnownCommand struct {
	remote
	verdict
}

// Run acknowledges a finding.
func (f findingsKnownCommand) Run(c *call) error {
	return f.do(c, f.remote, func(cl *client.Client) (dashboard.Finding, error) { return cl.Acknowledge(c.ctx, f.ID, f.Why) })
}

type findingsMuteCommand struct {
	remote
	verdict
	For time.Duration `help:"For how long, as in 24h." required:"" placeholder:"TIME"`
}

// Run mutes a finding.
func (f findingsMuteCommand) Run(c *call) error {
	return f.do(c, f.remote, func(cl *client.Client) (dashboard.Finding, error) {
		return cl.Mute(c.ctx, f.ID, dashboard.MuteRequest{Reason: f.Why, For: f.For.String()})
	})
}

type findingsAcceptCommand struct {
	remote
	verdict
	For time.Duration `help:"For how long its rules count, as in 24h. Default: 30 days." placeholder:"TIME"`
}

// Run accepts a finding by the rules that it suggests.
func (f findingsAcceptCommand) Run(c *call) error {
	return f.do(c, f.remote, func(cl *client.Client) (dashboard.Finding, error) {
		r := dashboard.AcceptRequest{Reason: f.Why}
		if f.For > 0 {
			r.For = f.For.String()
		}
		return cl.Accept(c.ctx, f.ID, r)
	})
}

type findingsFixCommand struct {
	remote
	verdict
}

// Run marks a finding as fixed.
func (f findingsFixCommand) Run(c *call) error {
	return f.do(c, f.remote, func(cl *client.Client) (dashboard.Finding, error) { return cl.Fix(c.ctx, f.ID, f.Why) })
}

func (v verdict) do(c *call, r remote, ask func(*client.Client) (dashboard.Finding, error)) error {
	cl, err := r.client(c, change{As: v.As}.actor(), true)
	if err != nil {
		return err
	}
	defer cl.Close()
	f, err := ask(cl)
	if err != nil {
		return err
	}
	if r.JSON {
		return c.json(f)
	}
	c.printf("%s: %s", f.ID, stateText(f))
	return nil
}

type findingsEraseCommand struct {
	remote
	Key string `help:"Targeting key, as the gateway sees it; - reads it from standard input, so that it is in no history of a shell." required:"" placeholder:"KEY"`
	As  string `help:"Who asks. Default: the user who runs the command." env:"FICUS_ACTOR" placeholder:"NAME"`
}

// Run erases the examples of a key.
func (f findingsEraseCommand) Run(c *call) error {
	key := f.Key
	if key == "-" {
		text, err := io.ReadAll(io.LimitReader(os.Stdin, 64<<10))
		if err != nil {
			return err
		}
		key = strings.TrimRight(string(text), "\r\n")
	}
	if key == "" {
		return exitCode{exitUsage, errors.New("--key: name the targeting key whose examples are to go")}
	}
	cl, err := f.client(c, change{As: f.As}.actor(), true)
	if err != nil {
		return err
	}
	defer cl.Close()
	done, err := cl.EraseKey(c.ctx, key)
	if err != nil {
		return err
	}
	if f.JSON {
		return c.json(done)
	}
	c.printf("%d examples erased", done.Erased)
	return nil
}
