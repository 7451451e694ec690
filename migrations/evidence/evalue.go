package evidence

// A Sample is the bad events of one epoch, at most one per key and test.
type Sample struct {
	Epoch   uint64  `json:"epoch,omitempty"` // seq of the event that began it
	W       float64 `json:"w"`               // chance that an event falls on the service if the service is no worse, 0 to 1
	Service uint64  `json:"n_c"`             // events on the service
	Legacy  uint64  `json:"n_l"`             // events on the monolith

	GoodService uint64 `json:"g_c,omitempty"` // ByTrial: keys that were answered well, on the service
	GoodLegacy  uint64 `json:"g_l,omitempty"` // and on the monolith
}

// Most is the greatest evidence that is written; beyond it [E] says Most.
const Most = 1e300

// E returns the evidence that events fall on the service more often than w
// says. It is the mean over the candidates θ of
//
//	E_θ = Π_e (q_e/w_e)^n_c · ((1−q_e)/(1−w_e))^n_l,   q = wθ/(wθ+1−w)
//
// where the product goes over the epochs, in the order given. Given that an
// event happened, each factor has an expectation of at most 1 if the chance
// that it falls on the service is at most w; so E is a nonnegative
// supermartingale that starts at 1, and by Ville's inequality (1939) the
// chance that it ever reaches 1/α is at most α, however often one looks.
// Candidates and conditional counts are after Lindon and Malek, "Anytime-Valid
// Inference for Multinomial Count Data" (NeurIPS 2022, arXiv:2011.03567),
// with a grid in place of their Dirichlet mixture.
//
// margin is the tolerated worsening δ of a rate: w is replaced by
// w(1+δ)/(w(1+δ)+1−w). Zero tolerates none; negative counts as zero.
//
// An epoch whose w is 0 or 1 (or no number) has no control: it says nothing
// and is left out. With no candidates or no events E is 1. E is never NaN,
// never negative and at most [Most].
//
// The same function serves the one-sample test of a rate against an allowed
// rate (w is that rate, n_c the hits, n_l the misses) and the paired
// comparison (w is 1/2, see [Paired]).
func E(samples []Sample, grid Grid, margin float64) float64 {
	return statistic{odds: grid, margin: margin}.of(samples).float()
}

// A statistic is how evidence is computed from counts.
type statistic struct {
	odds   Grid
	good   Grid // ByTrial: candidates for keys that were answered well; empty: they are not looked at
	margin float64
}

func (s statistic) of(samples []Sample) scaled {
	if len(s.good) == 0 {
		return e(samples, s.odds, s.margin)
	}
	return trials(samples, s.odds, s.good, s.margin)
}

// trials returns the evidence of keys by their first answers, good ones as well
// as bad ones. If the service is no worse, a bad one falls on it with a chance of
// at most w, and a good one with at least w, so that for θ ≥ 1 and φ ≤ 1 each
// factor of
//
//	Π (q/w)^n_c · ((1−q)/(1−w))^n_l · (p/w)^g_c · ((1−p)/(1−w))^g_l,   q = wθ/(wθ+1−w), p = wφ/(wφ+1−w)
//
// has an expectation of at most 1 given what was before. It sees at a great
// share what bad events alone do not: that the few who are left on the monolith
// are answered well.
func trials(samples []Sample, odds, good Grid, margin float64) scaled {
	terms := make([]scaled, 0, len(odds)*len(good))
	goods := make([]Sample, len(samples))
	for i, s := range samples {
		goods[i] = Sample{W: s.W, Service: s.GoodService, Legacy: s.GoodLegacy}
	}
	for _, phi := range good {
		well := likelihood(goods, phi, 0)
		for _, theta := range odds {
			terms = append(terms, likelihood(samples, theta, margin).times(well))
		}
	}
	return mean(terms)
}

func e(samples []Sample, grid Grid, margin float64) scaled {
	if len(grid) == 0 {
		return scaled{0.5, 1}
	}
	var room [8]scaled
	terms := room[:0]
	for _, theta := range grid {
		terms = append(terms, likelihood(samples, theta, margin))
	}
	return mean(terms)
}

// likelihood returns E_θ. With d = wθ+1−w it is Π (θ/d)^n_c · (1/d)^n_l, in
// which nothing cancels.
func likelihood(samples []Sample, theta Odds, margin float64) scaled {
	if !theta.valid() {
		return scaled{}
	}
	out := scaled{0.5, 1}
	for _, s := range samples {
		w, ok := tolerant(s.W, margin)
		switch {
		case !ok:
		case theta == Infinity && s.Legacy > 0:
			return scaled{}
		case theta == Infinity:
			out = out.times(scale(1 / w).power(s.Service))
		default:
			d := float64(w*float64(theta)) + (1 - w) // the conversion forbids a fused multiply-add
			out = out.times(scale(float64(theta) / d).power(s.Service))
			out = out.times(scale(1 / d).power(s.Legacy))
		}
	}
	return out
}

// tolerant returns w after the margin, and whether it leaves a control.
func tolerant(w, margin float64) (float64, bool) {
	if margin > 0 {
		odds := float64(w * (1 + margin))
		w = odds / (odds + (1 - w))
	}
	return w, w > tiny && w < 1
}

// tiny is a share far below one bucket. What is smaller counts as 0, since its
// inverse may not be a number.
const tiny = 1e-12
