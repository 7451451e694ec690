package evidence

import "math"

// A scaled is the number frac·2^exp with frac in [0.5, 1), or zero. Evidence
// is a product of thousands of factors, which float64 alone can't hold.
//
// It is used instead of sums of logarithms because math.Log and math.Exp are
// written in assembly on some processors and differ there in the last bit.
// Multiplication and division are exactly rounded everywhere (IEEE 754), so
// that a decision taken on one machine is recomputed to the bit on any other.
type scaled struct {
	frac float64
	exp  int64
}

// atMost bounds exponents of powers, so that exp can't overflow.
const atMost = 1 << 40

func scale(f float64) scaled {
	frac, exp := math.Frexp(f)
	return scaled{frac, int64(exp)}
}

func (s scaled) times(o scaled) scaled {
	frac, exp := math.Frexp(s.frac * o.frac)
	return scaled{frac, s.exp + o.exp + int64(exp)}
}

// power returns s^n by repeated squaring. Exponents above 2^40 count as 2^40.
func (s scaled) power(n uint64) scaled {
	n = min(n, atMost)
	out := scaled{0.5, 1}
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			out = out.times(s)
		}
		s = s.times(s)
	}
	return out
}

// mean returns the arithmetic mean, added up in the order given.
func mean(terms []scaled) scaled {
	frac, top := added(terms)
	if frac == 0 {
		return scaled{}
	}
	out := scale(frac / float64(len(terms)))
	out.exp += top
	return out
}

// sum returns the sum, added up in the order given.
func sum(terms []scaled) scaled {
	frac, top := added(terms)
	if frac == 0 {
		return scaled{}
	}
	out := scale(frac)
	out.exp += top
	return out
}

// added returns the sum as frac·2^exp.
func added(terms []scaled) (frac float64, exp int64) {
	top := int64(math.MinInt64)
	for _, t := range terms {
		if t.frac != 0 {
			top = max(top, t.exp)
		}
	}
	sum := 0.0
	for _, t := range terms {
		if t.frac != 0 && top-t.exp < 128 { // smaller ones would not change the sum
			sum += math.Ldexp(t.frac, int(t.exp-top))
		}
	}
	return sum, top
}

// float returns s as a float64, at most [Most].
func (s scaled) float() float64 {
	if s.exp > 1000 {
		return Most
	}
	if s.exp < -1000 {
		return 0
	}
	return min(math.Ldexp(s.frac, int(s.exp)), Most)
}
