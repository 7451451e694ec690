package app

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/transfer"
)

// A logCommand is what people do with the event log as a whole.
type logCommand struct {
	Export logExportCommand `cmd:"" help:"Write the event log, in a file or in Redis, as lines that import and verify read."`
	Import logImportCommand `cmd:"" help:"Begin a log, in a file or in Redis, with lines of an export. Numbers, times and the chain of hashes stay."`
	Verify logVerifyCommand `cmd:"" help:"Check every line of the event log or of an export: its hash, its number, and that it can be applied."`
	Trim   logTrimCommand   `cmd:"" help:"Make the event log in Redis short: it begins again with its state."`
}

type logExportCommand struct {
	place
	File string `arg:"" optional:"" help:"File to write; standard output without." type:"path"`
}

// Run exports. What is written to a file is there whole or not at all.
func (e logExportCommand) Run(c *call) error {
	server, err := e.server()
	if err != nil {
		return err
	}
	log, end, err := readLog(c.ctx, server, c.quiet())
	if err != nil {
		return err
	}
	defer end()
	if e.File == "" {
		_, err := transfer.Export(c.ctx, log, c.stdout)
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(e.File), filepath.Base(e.File)+".export-*") // for its owner only
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // after success there is nothing there
	sum, err := transfer.Export(c.ctx, log, temp)
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Link(temp.Name(), e.File); err != nil {
		return fmt.Errorf("%s: there is a file already; move it away first: %w", e.File, err)
	}
	c.printf("%s", summaryText(sum))
	return nil
}

type logImportCommand struct {
	place
	File string `arg:"" optional:"" help:"Export to read; standard input without." type:"existingfile"`
}

// Help says how to move.
func (logImportCommand) Help() string {
	return `The log must be empty, and no gateway should run on either meanwhile. To move from a file to Redis:

    ficus log export --state file:ficus.events moved.events
    ficus log import --state redis://10.0.0.5:6379 moved.events`
}

// Run imports, all or nothing.
func (i logImportCommand) Run(c *call) error {
	server, err := i.server()
	if err != nil {
		return err
	}
	in := io.Reader(os.Stdin)
	if i.File != "" {
		file, err := os.Open(i.File)
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
	}
	var sum transfer.Summary
	if server.Redis == nil {
		sum, err = transfer.ImportFile(in, strings.TrimPrefix(server.State, "file:"))
	} else {
		log, e := openPlain(c.ctx, server, c.quiet())
		if e != nil {
			return e
		}
		defer log.Close()
		sum, err = transfer.Import(c.ctx, in, log)
	}
	if err != nil {
		return err
	}
	c.printf("%s", summaryText(sum))
	return nil
}

type logVerifyCommand struct {
	place
	File string `arg:"" optional:"" help:"Export or log file to check; the log itself without." type:"existingfile"`
}

// Run verifies.
func (v logVerifyCommand) Run(c *call) error {
	var sum transfer.Summary
	if v.File != "" {
		file, err := os.Open(v.File)
		if err != nil {
			return err
		}
		defer file.Close()
		if sum, err = transfer.Verify(file); err != nil {
			return fmt.Errorf("%s: %w", v.File, err)
		}
	} else {
		server, err := v.server()
		if err != nil {
			return err
		}
		log, end, err := readLog(c.ctx, server, c.quiet())
		if err != nil {
			return err
		}
		defer end()
		if sum, err = transfer.Export(c.ctx, log, io.Discard); err != nil {
			return err
		}
	}
	c.printf("%s", summaryText(sum))
	return nil
}

type logTrimCommand struct {
	place
}

// Run trims. What it takes out Redis keeps for a week.
func (t logTrimCommand) Run(c *call) error {
	server, err := t.server()
	if err != nil {
		return err
	}
	if server.Redis == nil {
		return exitCode{exitUsage, errors.New("a log in a file is not made short; it grows by a line for each event")}
	}
	log, err := openPlain(c.ctx, server, c.quiet())
	if err != nil {
		return err
	}
	defer log.Close()
	state, err := migrations.Latest(c.ctx, log)
	if err != nil {
		return err
	}
	seq, err := log.Checkpoint(c.ctx, state)
	if err != nil {
		return err
	}
	c.printf("%s begins with event %d now; what was before is kept in Redis for a week", log, seq)
	return nil
}

// summaryText says what a whole log comes to.
func summaryText(s transfer.Summary) string {
	if s.Events == 0 {
		return "the log is empty"
	}
	return fmt.Sprintf("%d events, %d to %d, all in order; %d migrations; hash %s", s.Events, s.First, s.Last, len(s.State.IDs()), s.Hash)
}

// quiet is a logger for commands: what matters comes back as an error.
func (c *call) quiet() *slog.Logger {
	return slog.New(slog.NewTextHandler(c.stderr, &slog.HandlerOptions{Level: slog.LevelError}))
}
