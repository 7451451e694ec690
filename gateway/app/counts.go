package app

import (
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// counts returns what is known of a migration: what the guard decides from.
func (p *Process) counts(id string) evidence.Counts {
	out := evidence.Counts{At: time.Now()}
	if plan := p.source.Table().Plans[id]; plan != nil {
		out.Plans = []string{plan.Hash()}
	}
	return out
}
