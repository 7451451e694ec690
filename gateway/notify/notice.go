package notify

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// A Notice is what hooks are told.
type Notice struct {
	ID        string           `json:"id"`               // the same however often it is sent
	Event     string           `json:"event"`            // kind of the event, or routes.Tripped and its like
	Time      time.Time        `json:"time"`             // of the event, by the log; else of the gateway
	Migration string           `json:"migration"`        // "*" for all
	Cell      string           `json:"cell,omitempty"`   // the one that it concerns; empty: all
	Seq       uint64           `json:"seq,omitempty"`    // of the event; 0: it is in no log
	Split     string           `json:"split,omitempty"`  // from now on
	Step      int              `json:"step,omitempty"`   // that the ramp has come to
	Steps     int              `json:"steps,omitempty"`  // of the ramp
	Cause     migrations.Cause `json:"cause,omitempty"`  // what made the gateway do it; empty: a person did
	Actor     string           `json:"actor,omitempty"`  // who
	Reason    string           `json:"reason,omitempty"` // why
	TraceID   string           `json:"trace_id,omitempty"`
	Gateway   string           `json:"gateway,omitempty"` // that it is about, if it is in no log
	Text      string           `json:"text"`              // all of it in a line, for people
}

// OfEvent returns what is told of an event of the log.
func OfEvent(e migrations.Event) Notice {
	n := Notice{
		ID: fmt.Sprintf("event-%d-%d", e.Seq, e.Time.UnixMicro()), Event: string(e.Kind), Time: e.Time, Migration: e.Migration, Cell: e.Cell, Seq: e.Seq,
		Step: e.Step, Steps: e.Steps, Cause: e.Cause, Actor: e.Actor, Reason: e.Reason, TraceID: e.TraceID,
	}
	if len(e.Split) > 0 {
		n.Split = e.Split.String()
	}
	n.Text = n.line(said(n, e))
	return n
}

// complete fills in what whoever tells has left out.
func (n *Notice) complete(now time.Time) {
	if n.ID == "" {
		n.ID = "local-" + rand.Text()
	}
	if n.Time.IsZero() {
		n.Time = now.UTC()
	}
	if n.Text == "" {
		n.Text = n.line(n.Event)
	}
}

// line writes what has been done to which migration, who did it, and why.
func (n *Notice) line(what string) string {
	name := n.Migration
	if name == migrations.Every {
		name = "all migrations"
	}
	if n.Cell != "" {
		name += "/" + n.Cell
	}
	text := name + ": " + what
	if n.Actor != "" {
		text += " by " + n.Actor
	}
	if n.Cause != "" {
		text += " (" + n.Cause.Text() + ")"
	}
	if n.Reason != "" {
		text += ": " + n.Reason
	}
	return text
}

// said says in a person's words what an event states.
func said(n Notice, e migrations.Event) string {
	step := fmt.Sprintf("step %d of %d, %s", e.Step, e.Steps, n.Split)
	switch e.Kind {
	case migrations.Created:
		return fmt.Sprintf("new, from %s to %s", e.From, e.To)
	case migrations.Renamed:
		return "the new name of " + e.From
	case migrations.Retired:
		return "retired"
	case migrations.Planned:
		return "its plan was edited"
	case migrations.Shifted:
		return "shifted to " + n.Split
	case migrations.Held:
		return "its ramp is held"
	case migrations.Resumed:
		return "its ramp goes on"
	case migrations.RolledBack:
		text := "rolled back to " + n.Split
		if e.DataLoss {
			text += ", giving up what the service had written,"
		}
		return text
	case migrations.Returning:
		return "on its way back, " + n.Split
	case migrations.Restored:
		return "the log begins with a state that was kept elsewhere"
	case migrations.Stepped:
		return step
	case migrations.Skipped:
		return step + ", without waiting,"
	case migrations.Approved:
		return fmt.Sprintf("step %d approved", e.Step)
	case migrations.Restarted:
		return "its step begins anew"
	case migrations.Renewed:
		return "its test begins anew"
	case migrations.Frozen:
		return "frozen"
	case migrations.Thawed:
		return "no longer frozen"
	case migrations.Flagged:
		if e.Source == migrations.BuiltIn {
			return "decided by the log again"
		}
		return "decided by " + e.Source + ", " + cmp.Or(n.Split, "share not known")
	}
	return string(e.Kind)
}

// slackText escapes what Slack would take for markup.
var slackText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
