package evidence

import "math"

// Confidence is β for clean samples: one minus 95 %.
const Confidence = 0.05

// CleanSample returns how many requests without a single bad one show, with
// confidence 1−beta, that fewer than a share worst of all are bad:
// ln(1/β) / −ln(1−p_max), rounded up. 59 for "under 5 %", 299 for "under 1 %",
// 5,990 for "under 0.05 %", at 95 %. It is math.MaxInt64 for a share of 0, and
// 1 for a share of 1. It is the exact form of the "rule of three" (Hanley and
// Lippman-Hand, JAMA 1983).
func CleanSample(worst, beta float64) int64 {
	switch {
	case !(worst > 0) || !(beta > 0):
		return math.MaxInt64
	case worst >= 1 || beta >= 1:
		return 1
	}
	n := math.Ceil(math.Log(1/beta) / -math.Log1p(-worst))
	if n >= math.MaxInt64 {
		return math.MaxInt64
	}
	return max(int64(n), 1)
}

// CleanBound returns the share of bad requests that n clean ones rule out with
// confidence 1−beta: what [CleanSample] is the inverse of. It is 1 for none.
func CleanBound(n uint64, beta float64) float64 {
	if n == 0 || !(beta > 0) {
		return 1
	}
	return min(max(-math.Expm1(math.Log(beta)/float64(n)), 0), 1)
}
