package app

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/dashboard/client"
	"github.com/ficus-gateway/ficus/migrations"
)

type historyCommand struct {
	remote
	Migration string `arg:"" optional:"" help:"Id of a migration; all without."`
	By        string `help:"Only what this actor did." placeholder:"NAME"`
	Kind      string `help:"Only events of this kind: shifted, rolledback, ..." placeholder:"KIND"`
	Limit     int    `help:"At most so many events, the newest. Default: ${default}." default:"50" placeholder:"N"`
	Explain   uint64 `help:"Show what an event was decided from, and compute it again from the event alone." placeholder:"SEQ"`
	At        string `help:"Show the state as it was at a moment instead: a time as in 2026-01-31T15:04:05Z, or how long ago, as in 2h." placeholder:"TIME"`
}

// Run shows the log, oldest event first, so that the newest is where the eye is.
func (h historyCommand) Run(c *call) error {
	cl, err := h.client(c, "", false)
	if err != nil {
		return err
	}
	defer cl.Close()
	if h.Explain != 0 {
		return h.explain(c, cl)
	}
	if h.At != "" {
		return h.past(c, cl)
	}
	hist, err := cl.History(c.ctx, dashboard.Filter{Migration: h.Migration, Actor: h.By, Kind: migrations.Kind(h.Kind), Limit: h.Limit})
	if err != nil {
		return err
	}
	if h.JSON {
		return c.json(hist)
	}
	if len(hist.Events) == 0 {
		c.printf("no events")
		return nil
	}
	slices.Reverse(hist.Events)
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SEQ\tTIME\tMIGRATION\tEVENT\tSPLIT\tWHO\tWHY")
	for _, e := range hist.Events {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", e.Seq, e.Time.Format(time.RFC3339), cellName(e.Migration, e.Cell), kindText(e), dash(e.Split), dash(e.Actor), dash(whyText(e)))
	}
	return w.Flush()
}

// whyText says why, and of a rollback how users fared by it.
func whyText(e dashboard.Event) string {
	if e.Recovery == nil {
		return e.Reason
	}
	return strings.TrimPrefix(e.Reason+"; "+e.Recovery.Summary(), "; ")
}

func (h historyCommand) past(c *call, cl *client.Client) error {
	at, err := moment(h.At, time.Now())
	if err != nil {
		return exitCode{exitUsage, fmt.Errorf("--at: %w", err)}
	}
	state, err := cl.StateAt(c.ctx, at)
	if err != nil {
		return err
	}
	if h.JSON {
		return c.json(state)
	}
	c.printf("at %s, after event %d:", at.Format(time.RFC3339), state.Seq)
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	for _, m := range state.Migrations {
		if h.Migration == "" || h.Migration == m.ID {
			for _, cell := range m.Cells {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", cellName(m.ID, cell.Name), cell.Split, stepText(m, cell), dash(m.Reason))
			}
		}
	}
	return w.Flush()
}

// kindText names what an event states, and what made the gateway do it.
func kindText(e dashboard.Event) string {
	if e.Cause == "" {
		return string(e.Kind)
	}
	return fmt.Sprintf("%s (%s)", e.Kind, e.Cause.Text())
}

// moment reads a time or how long ago it was.
func moment(text string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	ago, err := time.ParseDuration(text)
	if err != nil || ago < 0 {
		return time.Time{}, errors.New("write a time as in 2026-01-31T15:04:05Z, or how long ago, as in 90m")
	}
	return now.Add(-ago), nil
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
