package condition

import "math"

const (
	// nearly is the gain, in nats, below which two conditions are as good as one
	// another: the one that is easier to act upon is named then.
	nearly = 1.0
	// coverage is the share of bad requests that a condition must hold for: one
	// that explains less does not tell bad from good.
	coverage = 0.5
	// lift is how much greater the share of bad requests that meet a condition
	// must be than that of good ones, unless all bad requests meet it.
	lift = 0.25
)

// A candidate is a condition that was tried and holds.
type candidate struct {
	a, b   *column // b is nil: one feature
	inside Count
	p      float64
	gain   float64 // of the logarithm of the likelihood, in nats
}

func (c *candidate) rank() int {
	if c.b == nil {
		return c.a.rank
	}
	return c.a.rank + c.b.rank
}

// better reports whether c is to be named rather than o.
func (c *candidate) better(o *candidate) bool {
	switch {
	case o.a == nil:
		return true
	case math.Abs(c.gain-o.gain) < nearly && c.rank() != o.rank():
		return c.rank() < o.rank()
	}
	return c.gain > o.gain
}

// search tries all conditions of one feature and of two. Half of [Level] is for
// each kind.
func (t *table) search() (Finding, bool) {
	bad := t.bad.count()
	good := t.n - bad
	singles := len(t.columns)
	pairs := singles * (singles - 1) / 2
	f := Finding{Tried: singles + pairs}
	if bad < 2 || good < 2 || singles == 0 {
		return f, false
	}
	lf := factorials(t.n)
	one := t.bestSingle(lf, bad, good, Level/2/float64(singles))
	best := one
	if pairs > 0 {
		two := t.bestPair(lf, bad, good, Level/2/float64(pairs), Level/2/float64(singles))
		// A second feature is worth its words if it says more than what a choice
		// among so many more conditions would say by chance.
		if two.a != nil && (one.a == nil || two.gain > one.gain+math.Log(float64(pairs)/float64(singles)+1)) {
			best = two
		}
	}
	if best.a == nil {
		return f, false
	}
	f.Features = []string{best.a.feature}
	if best.b != nil {
		f.Features = append(f.Features, best.b.feature)
	}
	meets := func(i int) bool { return best.a.in.has(i) && (best.b == nil || best.b.in.has(i)) }
	f.Inside, f.Outside = t.census(meets), t.census(func(i int) bool { return !meets(i) })
	f.P = best.p
	return f, true
}

func (t *table) bestSingle(lf []float64, bad, good int, level float64) (best candidate) {
	for i := range t.columns {
		c := &t.columns[i]
		in := Count{Bad: t.bad.both(c.in)}
		in.Good = c.in.count() - in.Bad
		if !tells(in, bad, good) {
			continue
		}
		if p := tail(lf, in, bad, good, level); p <= level {
			if x := (candidate{a: c, inside: in, p: p, gain: gain(in, bad, good)}); x.better(&best) {
				best = x
			}
		}
	}
	return best
}

// bestPair wants of a condition of two features that each of them matters among
// the requests that have the other.
func (t *table) bestPair(lf []float64, bad, good int, level, within float64) (best candidate) {
	alone := make([]Count, len(t.columns))
	for i := range t.columns {
		alone[i].Bad = t.bad.both(t.columns[i].in)
		alone[i].Good = t.columns[i].in.count() - alone[i].Bad
	}
	for i := range t.columns {
		a := &t.columns[i]
		if float64(alone[i].Bad) < coverage*float64(bad) {
			continue // nor does a part of it cover enough
		}
		for j := i + 1; j < len(t.columns); j++ {
			b := &t.columns[j]
			if float64(alone[j].Bad) < coverage*float64(bad) {
				continue
			}
			in := Count{Bad: t.bad.of(a.in, b.in)}
			in.Good = a.in.both(b.in) - in.Bad
			if !tells(in, bad, good) || in == alone[i] || in == alone[j] {
				continue
			}
			x := candidate{a: a, b: b, inside: in, gain: gain(in, bad, good)}
			if !x.better(&best) {
				continue
			}
			if x.p = tail(lf, in, bad, good, level); x.p > level ||
				tail(lf, in, alone[i].Bad, alone[i].Good, within) > within ||
				tail(lf, in, alone[j].Bad, alone[j].Good, within) > within {
				continue
			}
			best = x
		}
	}
	return best
}

// tells reports whether a condition, if it holds, is worth telling.
func tells(in Count, bad, good int) bool {
	recall := float64(in.Bad) / float64(bad)
	apart := recall - float64(in.Good)/float64(good)
	return recall >= coverage && apart > 0 && (apart >= lift || in.Bad == bad)
}

// tail is the chance that at least so many of the bad ones meet a condition
// which so many meet in all, if it has nothing to do with being bad: the
// one-sided exact test of Fisher. It stops at what is beyond the level anyway.
func tail(lf []float64, in Count, bad, good int, level float64) float64 {
	n, k := bad+good, in.all()
	choose := func(n, k int) float64 { return lf[n] - lf[k] - lf[n-k] }
	p := math.Exp(choose(bad, in.Bad) + choose(good, in.Good) - choose(n, k))
	sum := p
	for x := in.Bad; x < min(bad, k) && sum <= level; x++ {
		p *= float64(bad-x) / float64(x+1) * float64(k-x) / float64(good-k+x+1)
		sum += p
		if p < sum*1e-12 {
			break
		}
	}
	return min(sum, 1)
}

// factorials are the logarithms of 0! to n!.
func factorials(n int) []float64 {
	lf := make([]float64, n+1)
	for i := 2; i <= n; i++ {
		lf[i] = lf[i-1] + math.Log(float64(i))
	}
	return lf
}

// gain is how much more likely the outcomes are if the condition decides the
// rate than if all requests have one.
func gain(in Count, bad, good int) float64 {
	h := func(b, g int) float64 {
		if b == 0 || g == 0 {
			return 0
		}
		n := float64(b + g)
		return float64(b)*math.Log(float64(b)/n) + float64(g)*math.Log(float64(g)/n)
	}
	return h(in.Bad, in.Good) + h(bad-in.Bad, good-in.Good) - h(bad, good)
}
