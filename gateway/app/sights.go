package app

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
	"github.com/ficus-gateway/ficus/routes"
)

// sights says what the guard of each ramp can see at each of its steps: by the
// people of the last week, if a gateway has counted them beside the state, and
// else what it would take.
func (c *call) sights(t *routes.Table, s migrations.State, now time.Time) {
	counted := countedBeside(t)
	var plans []migrations.Plan
	for _, id := range sortedNames(t.Plans) {
		p := *t.Plans[id]
		if len(p.Steps) == 0 || p.Retired {
			continue
		}
		if len(plans) == 0 {
			c.printf("\nwhat the guards can see")
		}
		plans = append(plans, p)
		m := s.Migrations[id]
		test := func(step int) int { return m.Tests + max(step-m.Step, 1) }
		if usual, known := counted[id].Usual(now); known {
			c.printf("  %s, by the last week's %.0f people an hour:", id, usual.Hourly)
			for i := range p.Steps {
				c.printf("    %s", migrations.See(p, i+1, usual, test(i+1), counted[id].Gateways))
			}
			continue
		}
		c.printf("  %s: who comes is not known yet; to see an outage within its hold, an hour at least,", id)
		for i := range p.Steps {
			step, what := i+1, ""
			need, ok := migrations.Need(p, step, test(step))
			switch split := p.Split(step); {
			case split.Modern() == 0:
				what = "compares; nobody is on the service"
			case split.Modern() == migrations.Buckets:
				what = "has no control left; only outages are seen"
			case !ok:
				what = "sees nothing, however many people come"
			default:
				what = fmt.Sprintf("needs %.0f people an hour", need)
			}
			c.printf("    step %d (%s) %s", step, p.Split(step), what)
		}
	}
	if len(plans) > 0 {
		c.printf("  false alarms: %s at most for all of them together", percent(migrations.FalseAlarms(plans...)))
	}
}

// countedBeside returns what a gateway has counted, as it keeps it beside the
// state; nothing if there is none, or it can't be read.
func countedBeside(t *routes.Table) map[string]evidence.Counts {
	text, err := os.ReadFile(filepath.Join(t.Server.Beside(), "ficus.counts"))
	if err != nil {
		return nil
	}
	var all map[string]evidence.Counts
	if json.Unmarshal(text, &all) != nil {
		return nil
	}
	return all
}
