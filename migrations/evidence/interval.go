package evidence

import (
	"encoding/json"
	"errors"
	"math"
)

// An Interval is what an application counted of a metric in one slot of time,
// by side. Nobody knows of which people: so its events are anything but
// independent, and only the interval as a whole speaks, see [Interval.lean].
// In JSON it is [at, bad of the monolith, bad of the service, all of the
// monolith, all of the service].
type Interval struct {
	At         int64 // number of the slot since 1970
	Bad, Total Sides // Bad above Total counts as Total
}

// most bounds the bad events of a side that the reckoning of an interval goes
// through one by one; of more, all counts are halved until they are below.
const most = 1 << 20

// lean says to which side an interval leans: from −1, all that it shows speaks
// for the service, to 1, all speaks against it. If the service is no worse,
// its expectation is at most 0. It is 0 for an interval in which one side was
// not asked at all, or nothing bad happened.
//
// Where the service has the smaller part, the monolith's events are thinned to
// as many as the service was asked for, in all ways that there are: lean is the
// chance that the service had more bad ones than are left, less the chance that
// it had fewer. If whatever makes an interval bad, be it a burst of one side's
// own or a fault that both share, hits both sides alike, both have the same
// distribution, and it is a fair game. If people bring their failures in heaps,
// the smaller side has none more often and many more seldom, so that the game
// is against the bet.
//
// Where the service has the greater part, that would be the other way round,
// and the bet would win by it. There lean is the service's part of the bad
// events, less its part of all: zero on average whatever heaps they come in,
// since the hash spreads people without regard for what they do. It is at most
// 1 minus that part, so that evidence is slow when few are left on the
// monolith: there is little to hold the service against.
//
// margin is the tolerated worsening δ of the rate: 0.5 says that half as much
// again is fine. Of the service's bad events 1 in 1+δ is counted.
func (x Interval) lean(margin float64) float64 {
	bad, total := x.Bad, x.Total
	bad[Legacy], bad[Modern] = min(bad[Legacy], total[Legacy]), min(bad[Modern], total[Modern])
	for max(bad[Legacy], bad[Modern]) >= most {
		for side := range bad {
			bad[side], total[side] = bad[side]/2, total[side]/2
		}
	}
	if total[Legacy] == 0 || total[Modern] == 0 || bad.Sum() == 0 {
		return 0
	}
	worse := 1 + max(margin, 0)
	if total[Modern] > total[Legacy] {
		part := float64(worse*float64(total[Modern])) / (float64(worse*float64(total[Modern])) + float64(total[Legacy]))
		return float64(bad[Modern])/float64(bad.Sum()) - part
	}
	service := binomial(bad[Modern], 1/worse)
	monolith := thinned(bad[Legacy], total[Legacy], total[Modern])
	return service.above(monolith)
}

// A law is the chances of the numbers from low on; those left out are too
// small to matter. Every step of their reckoning is a multiplication, a division
// or an addition that IEEE 754 rounds exactly, so that it comes out the same on
// any machine.
type law struct {
	low int
	p   []float64
}

// spread returns the law between low and high whose chance of n+1 is ratio(n)
// times that of n, reckoned from a number in its midst.
func spread(low, mid, high int, ratio func(n int) float64) law {
	const nothing = 1.0 / (1 << 60)
	mid = min(max(mid, low), high)
	var down []float64
	for n, p := mid, 1.0; n > low; n-- {
		if p /= ratio(n - 1); !(p > nothing) {
			break
		}
		down = append(down, p)
	}
	out := law{mid - len(down), make([]float64, 0, 2*len(down)+1)}
	for i := len(down) - 1; i >= 0; i-- {
		out.p = append(out.p, down[i])
	}
	for n, p := mid, 1.0; ; n++ {
		out.p = append(out.p, p)
		if n == high {
			break
		}
		if p *= ratio(n); !(p > nothing) {
			break
		}
	}
	sum := 0.0
	for _, p := range out.p {
		sum += p
	}
	for i := range out.p {
		out.p[i] /= sum
	}
	return out
}

// binomial returns how many of n events are left if each is kept with a chance
// of keep.
func binomial(n uint64, keep float64) law {
	if keep >= 1 {
		return law{int(n), []float64{1}}
	}
	odds := keep / (1 - keep)
	return spread(0, int(float64(n)*keep), int(n), func(k int) float64 {
		return float64(float64(n-uint64(k))/float64(k+1)) * odds
	})
}

// thinned returns how many bad ones are among size out of all, of which bad
// are: the hypergeometric distribution.
func thinned(bad, all, size uint64) law {
	if size == all || bad == 0 {
		return law{int(bad), []float64{1}}
	}
	good := all - bad
	low := 0
	if size > good {
		low = int(size - good)
	}
	return spread(low, int(float64(bad)*(float64(size)/float64(all))), int(min(bad, size)), func(k int) float64 {
		n := uint64(k)
		return float64(float64(bad-n)/float64(n+1)) * float64(float64(size-n)/float64(good+n+1-size))
	})
}

// above returns the chance that a number of l is above one of o, less the
// chance that it is below.
func (l law) above(o law) float64 {
	out, below, next := 0.0, 0.0, 0 // below: the chance that o is below the number
	for i, p := range l.p {
		n := l.low + i
		for next < len(o.p) && o.low+next < n {
			below += o.p[next]
			next++
		}
		same := 0.0
		if at := n - o.low; at >= 0 && at < len(o.p) {
			same = o.p[at]
		}
		out += float64(p * (below - (1 - below - same)))
	}
	return min(max(out, -1), 1)
}

// MarshalJSON writes five numbers.
func (x Interval) MarshalJSON() ([]byte, error) {
	return json.Marshal([5]uint64{uint64(x.At), x.Bad[Legacy], x.Bad[Modern], x.Total[Legacy], x.Total[Modern]})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (x *Interval) UnmarshalJSON(text []byte) error {
	var f []uint64
	if err := json.Unmarshal(text, &f); err != nil {
		return err
	}
	if len(f) != 5 || f[0] > math.MaxInt64/2 {
		return errors.New("an interval is [at, bad of the monolith, bad of the service, all of the monolith, all of the service]")
	}
	*x = Interval{int64(f[0]), Sides{f[1], f[2]}, Sides{f[3], f[4]}}
	return nil
}
