package evidence

import (
	"math"
	"time"
)

// A Budget is what a test may spend of a migration's chance of a false alarm.
type Budget struct {
	Alpha    float64 `json:"alpha"`              // chance of ever rolling back a service that is no worse, of the whole migration; 0 never trips
	Test     int     `json:"test"`               // which test of the migration this is, from 1, retries and cells counted; below 1 counts as 1
	Metrics  int     `json:"metrics"`            // how many metrics are tested side by side; below 1 counts as 1
	Gateways int     `json:"gateways,omitempty"` // greatest number of gateways that ever shared the migration; up to 1 means alone
	Own      bool    `json:"own,omitempty"`      // the counts are one gateway's own, because the merged ones are stale
}

// Stale is the age at which merged counts no longer speak: older than this, a
// gateway tests its own.
const Stale = 3 * time.Second

// IsStale reports whether counts merged at the time given are stale now.
func IsStale(merged, now time.Time) bool { return now.Sub(merged) > Stale }

// reserve is the part of α that is kept for gateways that test their own counts.
const reserve = 0.1

// Level returns α_k = 6α/(π²k²), which adds up to α over all tests: the part
// of α that test k may spend. With several gateways the merged counts get nine
// tenths of it and each gateway's own the reserved tenth divided by their
// number.
func (b Budget) Level() float64 {
	if !(b.Alpha > 0) {
		return 0
	}
	k := float64(max(b.Test, 1))
	level := min(b.Alpha, 1) * (6 / (math.Pi * math.Pi)) / (k * k)
	switch {
	case b.Gateways <= 1:
		return level
	case b.Own:
		return level * reserve / float64(b.Gateways)
	default:
		return level * (1 - reserve)
	}
}

// Threshold returns K/α_k: the evidence at which a metric trips. It is
// math.MaxFloat64, which no evidence reaches, when α is 0.
func (b Budget) Threshold() float64 {
	level := b.Level()
	if level == 0 {
		return math.MaxFloat64
	}
	return min(float64(max(b.Metrics, 1))/level, math.MaxFloat64)
}

// Spent returns how much of alpha the first n tests may have spent.
func Spent(alpha float64, n int) float64 {
	if !(alpha > 0) {
		return 0
	}
	sum := 0.0
	for k := min(n, 100_000); k >= 1; k-- { // smallest terms first; the rest adds less than a thousandth of a percent
		sum += 1 / (float64(k) * float64(k))
	}
	return min(alpha*6/(math.Pi*math.Pi)*sum, alpha)
}

// FalseAlarms returns an upper bound of the chance that any of several
// migrations, each with its own α, is ever rolled back without cause: their
// sum, at most 1. Cells share the α of their migration.
func FalseAlarms(alphas ...float64) float64 {
	sum := 0.0
	for _, a := range alphas {
		if a > 0 {
			sum += a
		}
	}
	return min(sum, 1)
}
