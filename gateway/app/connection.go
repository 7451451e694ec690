package app

import (
	"fmt"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/migrations/redislog"
)

// skewed is by how much the clocks of Redis and of this machine may differ
// before people are told.
const skewed = 2 * time.Second

// connection says how this gateway stands with the event log.
func (p *Process) connection() dashboard.Check {
	state := p.follower.State()
	c := dashboard.Check{Name: "log", OK: true, Detail: fmt.Sprintf("event %d", state.Seq)}
	if p.shared != nil {
		c.Detail += " in " + p.shared.log.String()
		if by := p.shared.log.Skew(); by.Abs() > skewed {
			c.Detail += fmt.Sprintf("; its clock differs from this machine's by %s", by.Round(time.Second))
		}
	}
	if state.Frozen != "" {
		c.Detail += "; ramps are frozen: " + state.Frozen
	}
	switch err := p.follower.Err(); {
	case err != nil:
		c.OK, c.Detail = false, fmt.Sprintf("serving by the last state, of event %d: %v", state.Seq, err)
	case p.shared != nil && p.shared.tally.Err() != nil:
		c.OK, c.Detail = false, fmt.Sprintf("event %d; events can be read, but perhaps not written, and what other gateways count is not known: redis: %s: %v",
			state.Seq, redislog.Diagnose(p.shared.tally.Err()), p.shared.tally.Err())
	}
	if n := len(p.trips.local()); n > 0 {
		c.OK = false
		c.Detail += fmt.Sprintf("; %d rollbacks are local only until it takes them", n)
	}
	return c
}

// company says which other gateways share the log.
func (s *shared) company() dashboard.Check {
	c := dashboard.Check{Name: "gateways", OK: true, Detail: s.name + ", alone"}
	if others := s.tally.Others(); len(others) > 0 {
		c.Detail = s.name + " and " + strings.Join(others, ", ")
	}
	return c
}

// trouble returns what keeps Redis from being used, "" if nothing does.
func (p *Process) trouble() redislog.Trouble {
	if err := p.follower.Err(); err != nil {
		return redislog.TroubleOf(err)
	}
	return redislog.Diagnose(p.shared.tally.Err())
}

// troubles are what may keep a log in Redis from being used.
var troubles = []redislog.Trouble{
	redislog.Down, redislog.Slow, redislog.Starting, redislog.ReadOnly, redislog.Full, redislog.Denied, redislog.Lost, redislog.Foreign, redislog.Refused,
}

// connectionMetrics registers what the connection is measured by.
func (p *Process) connectionMetrics(m *telemetry.Metrics) {
	m.Gauge("ficus_log_connected", "Whether the event log can be read.", func() float64 {
		if p.follower.Err() != nil {
			return 0
		}
		return 1
	})
	s := p.shared
	if s == nil {
		return
	}
	m.Gauges("ficus_log_trouble", "What keeps the event log in Redis from being used: 1 for what does at the moment.", []string{"trouble"}, func(emit func(float64, ...string)) {
		now := p.trouble()
		for _, t := range troubles {
			on := 0.0
			if t == now {
				on = 1
			}
			emit(on, string(t))
		}
	})
	m.Gauge("ficus_gateways", "Gateways that share the event log, this one included.", func() float64 {
		return float64(len(s.tally.Others()) + 1)
	})
	m.Gauge("ficus_log_contact_seconds", "Time since Redis last answered a question of the event log.", func() float64 {
		return time.Since(s.log.Contact()).Seconds()
	})
	m.Gauge("ficus_log_clock_ahead_seconds", "By how much the clock of Redis, which stamps the events, is ahead of this machine's.", func() float64 {
		return s.log.Skew().Seconds()
	})
	m.Counter("ficus_log_mended_total", "How often Redis had lost events, and the log went on with what this gateway knew of them.", func() float64 {
		return float64(s.mended.Load())
	})
}
