package routes

import (
	"slices"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// A Hook is an address that is told what happens to migrations.
type Hook struct {
	Name       string // unique
	URL        string // may be a secret; never to be shown
	Format     HookFormat
	Secret     string // empty: see SecretFile
	SecretFile string // empty as well: nothing is signed
	Events     []string
	Migrations []string
	Timeout    time.Duration // of one attempt
	GiveUp     time.Duration // of one message
}

// A HookFormat is what is sent to a hook.
type HookFormat string

// The formats.
const (
	HookJSON  HookFormat = "json"
	HookSlack HookFormat = "slack"
)

// What hooks are told of besides the kinds of event: it is not in the log.
const (
	Tripped   = "tripped"   // one gateway sends everybody to the monolith, since the log is out of reach
	Untripped = "untripped" // that is over
	Behind    = "behind"    // synced data lags behind by more than it may, or by how much is not known
	Current   = "current"   // that is over
)

// HookEvents lists all that a hook may be told of.
func HookEvents() []string {
	out := []string{Tripped, Untripped, Behind, Current}
	for _, k := range migrations.Kinds {
		out = append(out, string(k))
	}
	return out
}

// Wants reports whether the hook is to be told of something of a migration,
// [migrations.Every] for all.
func (h *Hook) Wants(event, migration string) bool {
	return (len(h.Events) == 0 || slices.Contains(h.Events, event)) &&
		(len(h.Migrations) == 0 || migration == migrations.Every || slices.Contains(h.Migrations, migration))
}
