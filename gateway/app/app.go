// Package app wires the process: config, event log, flags, telemetry,
// listeners and the command line. A program that embeds Ficus calls [Main]:
//
//	package main
//
//	import "github.com/ficus-gateway/ficus/gateway/app"
//
//	func main() { app.Main() }
//
// It is the only package that builds telemetry SDKs and handles signals.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/open-feature/go-sdk/openfeature"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/dashboard/client"
	"github.com/ficus-gateway/ficus/routes"
)

// The exit codes of the command, as its help documents them.
const (
	exitOK          = 0
	exitFailed      = 1 // what was asked for did not work
	exitUsage       = 2 // the command line or the config is wrong; nothing was changed
	exitConflict    = 3 // the migration has moved on; look again
	exitUnreachable = 4 // no gateway answers
)

// An Option changes what [Main] runs.
type Option func(*options)

type options struct {
	args           []string
	stdout, stderr io.Writer
	dir            string
	provider       openfeature.FeatureProvider
}

// WithArgs sets the arguments, those of the process without its name by default.
func WithArgs(args ...string) Option { return func(o *options) { o.args = args } }

// WithOutput sets where the command writes.
func WithOutput(stdout, stderr io.Writer) Option {
	return func(o *options) { o.stdout, o.stderr = stdout, stderr }
}

// WithProvider has an OpenFeature provider of the program's own evaluate the
// flags of migrations, whose values are the stages, in place of the event log.
// Requests are safe from it: it may be slow, fail or panic, and what it said
// last counts then. Rollbacks beat it. The config's flags: may say timeout and
// attributes, but no source.
func WithProvider(p openfeature.FeatureProvider) Option {
	return func(o *options) { o.provider = p }
}

// Main runs the command and ends the process with its exit code.
func Main(opts ...Option) { os.Exit(Run(context.Background(), opts...)) }

// Run runs the command and returns its exit code.
func Run(ctx context.Context, opts ...Option) int {
	o := options{args: os.Args[1:], stdout: os.Stdout, stderr: os.Stderr, dir: "."}
	for _, opt := range opts {
		opt(&o)
	}
	var c command
	exit := -1
	parser, err := kong.New(&c,
		kong.Name("ficus"),
		kong.Description(description),
		kong.Writers(o.stdout, o.stderr),
		kong.Exit(func(code int) { exit = code }),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Vars{"version": Version()},
	)
	if err != nil {
		panic(err) // the command's struct is wrong
	}
	switch {
	case len(o.args) == 0:
		o.args = []string{"--help"}
	case o.args[0] == "help": // what people type first
		o.args = append(o.args[1:], "--help")
	case o.args[0] == "--version" || o.args[0] == "-v":
		o.args = []string{"version"}
	}
	k, err := parser.Parse(o.args)
	if exit >= 0 {
		return exit
	}
	if err != nil {
		fmt.Fprintf(o.stderr, "ficus: %v\n", err)
		var pe *kong.ParseError
		if errors.As(err, &pe) && pe.Context != nil {
			see := "ficus"
			if node := pe.Context.Selected(); node != nil {
				see = node.FullPath()
			}
			fmt.Fprintf(o.stderr, "see: %s --help\n", see)
		}
		return exitUsage
	}
	ctx, cancel := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer cancel()
	err = k.Run(&call{ctx: ctx, options: &o, parser: parser})
	return o.report(err)
}

// report writes an error and returns the exit code for it.
func (o *options) report(err error) int {
	if err == nil {
		return exitOK
	}
	var problems routes.Problems
	var code exitCode
	var remote *client.Error
	switch {
	case errors.As(err, &problems):
		fmt.Fprintln(o.stderr, problems)
		return exitUsage
	case errors.As(err, &code):
		if code.err != nil {
			fmt.Fprintf(o.stderr, "ficus: %v\n", code.err)
		}
		return code.code
	case errors.As(err, &remote):
		fmt.Fprintf(o.stderr, "ficus: %v\n", err)
		if client.Is(err, dashboard.MovedOn) {
			return exitConflict
		}
		return exitFailed
	}
	fmt.Fprintf(o.stderr, "ficus: %v\n", err)
	if errors.Is(err, client.ErrUnreachable) {
		return exitUnreachable
	}
	return exitFailed
}

// An exitCode is an error with the exit code it stands for.
type exitCode struct {
	code int
	err  error // nil: it has been said already
}

func (e exitCode) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e exitCode) Unwrap() error { return e.err }

// A call is one run of a command.
type call struct {
	*options
	ctx    context.Context // ends with the first interrupt
	parser *kong.Kong
}

// printf writes a line for people.
func (c *call) printf(format string, args ...any) { fmt.Fprintf(c.stdout, format+"\n", args...) }
