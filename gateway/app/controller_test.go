package app

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// hanging is a log that answers after a while.
type hanging struct {
	migrations.Log
	after time.Duration
}

func (l hanging) Append(context.Context, uint64, ...migrations.Event) (uint64, error) {
	time.Sleep(l.after)
	return 1, nil
}

// A log that hangs fails late, so that a rollback is in force here before.
func TestARollbackIsInForceHereWhileTheLogHangs(t *testing.T) {
	for name, c := range map[string]struct {
		kind  migrations.Kind
		after time.Duration
		trips int
	}{
		"a rollback, and a log that hangs": {migrations.RolledBack, 2 * time.Second, 1},
		"a part of the way back":           {migrations.Returning, 2 * time.Second, 1},
		"a log that answers":               {migrations.RolledBack, 100 * time.Millisecond, 0},
		"a step forward":                   {migrations.Stepped, 2 * time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, tripped := time.Now(), []time.Duration(nil)
				log := impatient{hanging{after: c.after}, func([]migrations.Event) { tripped = append(tripped, time.Since(began)) }}
				if _, err := log.Append(t.Context(), 0, migrations.Event{Migration: "orders", Kind: c.kind}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				if len(tripped) != c.trips || c.trips > 0 && tripped[0] != noLonger {
					t.Errorf("tripped after %v", tripped)
				}
			})
		})
	}
}
