package app

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ficus-gateway/ficus/examples/shop/load"
	"github.com/ficus-gateway/ficus/migrations"
)

// verdict says how it went.
func (d demoCommand) verdict(out *screen, stage *demoStage, s *story, r *load.Report) error {
	out.line("")
	var wrong []string
	fail := func(text string) { wrong = append(wrong, text) }
	seen := 0 // wrong totals that a planted bug accounts for
	for _, b := range s.bugs {
		switch {
		case b.planted.IsZero():
			fail("there was no time for the bug: " + b.name)
		case b.back == nil:
			fail("not rolled back: " + b.name)
		case b.err != nil || b.back.Cause != migrations.CauseTest && b.back.Cause != migrations.CauseOutage:
			fail("rolled back, but not by the guard's evidence: " + b.name)
		default:
			seen += b.after.Failures[load.WrongBody] - b.before.Failures[load.WrongBody]
			out.line("  %-12s  rolled back after %-6s  E = %.3g against %.3g  %s", b.name, span(b.back.Time.Sub(b.planted)),
				b.again, b.back.Evidence.Records[0].Threshold, out.faint(fmt.Sprintf("event %d", b.back.Seq)))
		}
	}
	if n := errorsOf(r); n > 0 {
		fail(count(n, "error") + " reached a customer")
	}
	if n := r.Failures[load.WrongBody] - seen; n > 0 {
		fail(count(n, "wrong answer") + " beside those that were planted")
	}
	turned := s.strays(r)
	for _, t := range turned {
		fail("against the ramp: " + t.String())
	}
	if r.Requests == 0 {
		fail("the load made no request")
	}
	out.line("  %d requests of %d customers; %s; orders is at %s", r.Requests, d.Users+d.Users/2, out.bold(count(errorsOf(r), "error")), stage.standing().Split)
	if len(wrong) == 0 {
		out.line("%s", out.green("Three bugs, three rollbacks, and nobody had to get up at night."))
		return nil
	}
	for _, text := range wrong {
		out.line("%s %s", out.red("✗"), text)
	}
	for _, f := range r.Examples {
		out.line("  %s %s (%s): %s", f.Customer, f.Route, f.Side, f.Text)
	}
	if d.ExitCode {
		return exitCode{exitFailed, errors.New("the demo did not go as it should")}
	}
	return nil
}

// strays are the customers who came back from the service with no rollback
// between the two requests.
func (s *story) strays(r *load.Report) []load.Turn {
	s.mu.Lock()
	defer s.mu.Unlock()
	const slack = 500 * time.Millisecond // from the event to the story, and for what was under way
	return slices.DeleteFunc(r.TurnedBack(time.Time{}, time.Time{}), func(t load.Turn) bool {
		return slices.ContainsFunc(s.backs, func(at time.Time) bool {
			return !at.Before(t.Left.Add(-slack)) && !at.After(t.Came.Add(slack))
		})
	})
}
