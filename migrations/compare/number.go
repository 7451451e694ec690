package compare

import (
	"bytes"
	"math"
	"math/big"
	"strconv"
)

// isNumber says whether s is a number as JSON writes it.
func isNumber(s []byte) bool { return len(s) > 0 && scanNumber(s, 0) == len(s) }

// scanNumber returns the index after the number that begins at i, or i if
// none does.
func scanNumber(s []byte, i int) int {
	start := i
	if i < len(s) && s[i] == '-' {
		i++
	}
	switch {
	case i < len(s) && s[i] == '0':
		i++
	case i < len(s) && s[i] >= '1' && s[i] <= '9':
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
	default:
		return start
	}
	if i < len(s) && s[i] == '.' {
		i++
		from := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		if i == from {
			return start
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		from := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		if i == from {
			return start
		}
	}
	return i
}

// canonical appends the one way to write the number s, a sign, digits without
// zeros at either end, and an exponent, so that 100, 1e2 and 100.0 are the
// same and no digit is ever lost. An exponent beyond 18 digits leaves the text
// as it is.
func canonical(dst, s []byte) []byte {
	if plain(s) {
		return append(append(dst, s...), "e0"...)
	}
	start := len(dst)
	i := 0
	if s[0] == '-' {
		dst = append(dst, '-')
		i++
	}
	digits := len(dst)
	exp, point := 0, false
	for ; i < len(s) && s[i] != 'e' && s[i] != 'E'; i++ {
		switch {
		case s[i] == '.':
			point = true
			continue
		case point:
			exp--
		}
		if s[i] != '0' || len(dst) > digits {
			dst = append(dst, s[i])
		}
	}
	for len(dst) > digits && dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
		exp++
	}
	if len(dst) == digits {
		return append(dst[:start], "0e0"...)
	}
	if i < len(s) {
		e := bytes.TrimPrefix(s[i+1:], []byte("+"))
		n, err := strconv.ParseInt(string(e), 10, 62)
		if err != nil {
			return append(dst[:start], s...)
		}
		exp += int(n)
	}
	dst = append(dst, 'e')
	return strconv.AppendInt(dst, int64(exp), 10)
}

// plain says whether s is an integer whose text is canonical but for the
// exponent.
func plain(s []byte) bool {
	if s[len(s)-1] == '0' {
		return false
	}
	for i, c := range s {
		if (c < '0' || c > '9') && (i > 0 || c != '-') {
			return false
		}
	}
	return true
}

// A tolerance is how far apart two numbers may be.
type tolerance struct {
	by       *big.Rat
	relative bool // by is a share of the control
}

// allows says whether b is near enough to a. Numbers too long or too large to
// be worth the arithmetic are not.
func (t tolerance) allows(a, b []byte) bool {
	x, y := rational(a), rational(b)
	if x == nil || y == nil {
		return false
	}
	limit := t.by
	if t.relative {
		limit = new(big.Rat).Mul(t.by, new(big.Rat).Abs(x))
	}
	d := new(big.Rat).Sub(x, y)
	return d.Abs(d).Cmp(limit) <= 0
}

// sameRounded says whether a and b are the same when rounded to some decimals,
// halves away from zero.
func sameRounded(a, b []byte, decimals int) bool {
	x, y := rational(a), rational(b)
	return x != nil && y != nil && x.FloatString(decimals) == y.FloatString(decimals)
}

// rational reads a number exactly, or returns nil if it has more than 400
// digits or an exponent beyond 400.
func rational(s []byte) *big.Rat {
	s = bytes.TrimSpace(s)
	if len(s) > 400 || !isNumber(s) {
		return nil
	}
	if i := bytes.IndexAny(s, "eE"); i >= 0 {
		e, err := strconv.Atoi(string(bytes.TrimPrefix(s[i+1:], []byte("+"))))
		if err != nil || e > 400 || e < -400 {
			return nil
		}
	}
	r, ok := new(big.Rat).SetString(string(s))
	if !ok {
		return nil
	}
	return r
}

// gap is the relative difference of two numbers, for display and suggestions
// only; 0 if it can't be told.
func gap(a, b []byte) float64 {
	x, err1 := strconv.ParseFloat(string(a), 64)
	y, err2 := strconv.ParseFloat(string(b), 64)
	if err1 != nil || err2 != nil || x == 0 {
		return 0
	}
	if g := math.Abs((x - y) / x); !math.IsInf(g, 0) && !math.IsNaN(g) {
		return g
	}
	return 0
}
