package app

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
	for _, p := range plans {
		c.printf("  %s", guarded(p))
	}
	if len(plans) > 0 {
		c.printf("  false alarms: %s at most for all of them together", percent(migrations.FalseAlarms(plans...)))
	}
}

// guarded says what the guard of a plan tests, and what is turned off.
func guarded(p migrations.Plan) string {
	metrics := p.Metrics()
	names := make([]string, len(metrics))
	for i, m := range metrics {
		names[i] = string(m.Metric)
	}
	text := fmt.Sprintf("%s tests %d metrics, each with 1/%d of its %s of false alarms: %s", p.ID, len(names), len(names), percent(p.Guard.FalseAlarm), strings.Join(names, ", "))
	for _, off := range []struct {
		is   bool
		says string
	}{
		{!p.Guard.Outcomes, "outcomes: off, so 401, 404, redirects and the like speak against nobody"},
		{p.Guard.Latency == nil, "latency: off, so a slow service goes forward"},
		{p.Guard.AtMost == 0, "mismatches: off, so steps go forward whatever answers differ"},
		{p.Guard.Findings == "", "findings: none, so no open finding holds the ramp"},
		{p.Guard.OneNetwork, "networks: off, so the clients of one network can cause and prevent a rollback"},
		{p.Compare.Sample == 0, "compare: {sample: 0%}, so nothing is compared"},
	} {
		if off.is {
			text += "\n    " + off.says
		}
	}
	return text
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
