package evidence

import "math"

// AtMost returns the chance of at most m bad ones among n, if each is bad with
// chance p: where it is at most 1−confidence, a share of p or more is ruled out
// (Clopper and Pearson, Biometrika 1934).
func AtMost(m, n uint64, p float64) float64 {
	switch {
	case m >= n || !(p > 0):
		return 1
	case p >= 1:
		return 0
	}
	sum := 0.0
	for k := uint64(0); k <= m; k++ {
		sum += math.Exp(logChoose(n, k) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
	}
	return min(sum, 1)
}

// AtLeast returns the chance of at least m bad ones among n.
func AtLeast(m, n uint64, p float64) float64 {
	if m == 0 {
		return 1
	}
	return max(1-AtMost(m-1, n, p), 0)
}

func logChoose(n, k uint64) float64 {
	a, _ := math.Lgamma(float64(n) + 1)
	b, _ := math.Lgamma(float64(k) + 1)
	c, _ := math.Lgamma(float64(n-k) + 1)
	return a - b - c
}

// Below returns how many must be looked at so that, if m of them are bad, a
// share of p or more is ruled out with confidence 1−beta. It is the generalisation
// of [CleanSample] to samples that are not clean.
func Below(m uint64, p, beta float64) uint64 {
	low := uint64(max(CleanSample(p, beta), 1))
	if m == 0 || low == math.MaxInt64 {
		return low
	}
	high := max(low, m+1)
	for AtMost(m, high, p) > beta && high < 1<<40 {
		low, high = high, 2*high
	}
	for high-low > 1 {
		if mid := low + (high-low)/2; AtMost(m, mid, p) > beta {
			low = mid
		} else {
			high = mid
		}
	}
	return high
}
