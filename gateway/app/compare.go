package app

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/routes"
)

const (
	// findingsFile lies beside the state and keeps what the comparison has found.
	findingsFile = "ficus.findings"
	saveEvery    = 30 * time.Second
	// retention is how long an example of a finding is kept.
	retention = 7 * 24 * time.Hour
)

// openShadow makes what compares the two sides. Marks in examples are keyed by
// the gateway's secret, so that equal values are equal after a restart too.
func (p *Process) openShadow(t *routes.Table, secret []byte) error {
	key, err := hkdf.Key(sha256.New, secret, nil, "ficus finding marks", 32)
	if err != nil {
		return fmt.Errorf("derive the key of findings: %w", err)
	}
	p.shadow = shadow.New(shadow.Options{MaskKey: key, Logger: p.log})
	p.found = filepath.Join(t.Server.Beside(), findingsFile)
	if err := p.shadow.Load(p.found); err != nil {
		p.log.Warn("the comparison begins anew", "error", err)
	}
	return nil
}

// closeShadow ends the comparison and keeps what it has found.
func (p *Process) closeShadow() {
	p.shadow.Close()
	if p.handed.done() {
		return // another process keeps the file
	}
	if err := p.shadow.Save(p.found); err != nil {
		p.log.Error("what the comparison has found could not be saved", "error", err)
	}
}

// comparisonMetrics registers what the comparison counts.
func comparisonMetrics(m *telemetry.Metrics, s *shadow.Shadow) {
	m.Counters("ficus_shadow_observations_total", "Comparisons by what became of them; all outcomes add up to those sampled, but for the pending ones.",
		[]string{"migration", "outcome"}, func(emit func(float64, ...string)) {
			s.Each(func(w *shadow.Watch) {
				for outcome, n := range w.Counts().Outcomes {
					emit(float64(n), w.Migration(), strings.ReplaceAll(string(outcome), " ", "_"))
				}
			})
		})
	m.Counters("ficus_shadow_dropped_total", "Comparisons that were dropped, by reason.", []string{"migration", "reason"}, func(emit func(float64, ...string)) {
		s.Each(func(w *shadow.Watch) {
			for reason, n := range w.Counts().Dropped {
				emit(float64(n), w.Migration(), string(reason))
			}
		})
	})
	counter := func(name, help string, read func(shadow.Counts) uint64) {
		m.Counters(name, help, []string{"migration"}, func(emit func(float64, ...string)) {
			s.Each(func(w *shadow.Watch) { emit(float64(read(w.Counts())), w.Migration()) })
		})
	}
	counter("ficus_shadow_sampled_total", "Requests chosen to be compared.", func(c shadow.Counts) uint64 { return c.Sampled })
	counter("ficus_shadow_probes_total", "Second askings of a side, to learn its noise or to confirm a mismatch.", func(c shadow.Counts) uint64 { return c.Probes })
	counter("ficus_shadow_races_total", "Mismatches that went away when both sides were asked again.", func(c shadow.Counts) uint64 { return c.Races })
	m.Gauges("ficus_shadow_pending", "Comparisons under way.", []string{"migration"}, func(emit func(float64, ...string)) {
		s.Each(func(w *shadow.Watch) { emit(float64(w.Counts().Pending), w.Migration()) })
	})
	m.Gauges("ficus_findings_open", "Findings that people should see.", []string{"migration"}, func(emit func(float64, ...string)) {
		s.Each(func(w *shadow.Watch) { emit(float64(w.Open(time.Now())), w.Migration()) })
	})
	m.Gauge("ficus_shadow_buffer_bytes", "Memory of copies of requests and answers.", func() float64 { return float64(s.Budget().Used()) })
}
