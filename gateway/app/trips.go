package app

import "github.com/ficus-gateway/ficus/migrations"

// trip is told of decisions that the log did not take.
func (p *Process) trip([]migrations.Event) {}
