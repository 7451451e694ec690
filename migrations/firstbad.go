package migrations

import (
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// firstBad returns when the first bad request was, in the present test, of the
// metric that decided: what recovery is measured from. It is by the clock of the
// gateway that saw it. Zero: it is not known, as in a test that a program began
// which did not note it.
func (v view) firstBad(r evidence.Record) time.Time {
	if r.Basis != evidence.ByInterval {
		return v.cell.FirstBad(r.Metric)
	}
	for _, s := range r.Slots { // ascending
		if s.Bad[evidence.Modern] > 0 {
			return evidence.SlotStart(s.At, r.Every).UTC()
		}
	}
	return time.Time{}
}

// since sets what a verdict that no test gave is measured from.
func (e *Evidence) since(at time.Time) {
	if !at.IsZero() && at.UnixMilli() > 0 {
		e.FirstBad = at.UTC()
	}
}
