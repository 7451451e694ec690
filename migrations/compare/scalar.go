package compare

import (
	"bytes"
)

// scalars compares two values of the same type that hold no others.
func (d *differ) scalars(x, y *node) {
	if x.kind != nodeNumber && x.kind != nodeString {
		d.report(KindValue, d.value(&d.a, x), d.value(&d.b, y), Typed, 0)
		return
	}
	a := d.a.text(x, d.bufA)
	b := d.b.text(y, d.bufB)
	if x.flag&flagEscaped != 0 {
		d.bufA = a
	}
	if y.flag&flagEscaped != 0 {
		d.bufB = b
	}
	kind := KindValue
	if (x.flag^y.flag)&flagUTF8 != 0 {
		kind = KindUTF8
	}
	d.texts(kind, typeOf(x.kind), a, b, int(x.val.off), int(y.val.off))
}

// texts compares two values, given as text, of one type.
func (d *differ) texts(kind Kind, t Type, a, b []byte, offA, offB int) {
	if bytes.Equal(a, b) {
		return
	}
	if d.tolerated(a, b) {
		return
	}
	ca, cb := classAs(t, a), classAs(t, b)
	va := Value{Type: t, Class: ca, Length: len(a), Offset: offA}
	vb := Value{Type: t, Class: cb, Length: len(b), Offset: offB}
	d.disclose(&va, a)
	d.disclose(&vb, b)
	g := 0.0
	if t == TypeNumber {
		g = gap(a, b)
	}
	d.report(kind, va, vb, d.rules.agree(t, a, b, ca, cb), g)
}

func classAs(t Type, s []byte) Class {
	if t == TypeNumber {
		return classOfNumber(s)
	}
	return classOf(s)
}

// tolerated says whether a rule of the path takes two numbers for the same;
// they may be written as strings.
func (d *differ) tolerated(a, b []byte) bool {
	for i := range d.rules.tolerances {
		if t := &d.rules.tolerances[i]; t.root == d.root && t.matches(d.steps) && t.allows(a, b) {
			return true
		}
	}
	for i := range d.rules.rounds {
		if t := &d.rules.rounds[i]; t.root == d.root && t.matches(d.steps) && sameRounded(a, b, t.decimals) {
			return true
		}
	}
	return false
}

// agree returns the finest level at which two different texts of one type are
// the same.
func (r *Rules) agree(t Type, a, b []byte, ca, cb Class) Level {
	if ca != cb {
		if t == TypeString && normalisable(ca) && normalisable(cb) && r.sameNormalised(a, b) {
			return Normalised
		}
		if isInstant(ca) && isInstant(cb) && r.sameInstant(a, b, ca, cb) {
			return Normalised
		}
		return Typed
	}
	switch ca {
	case ClassTime, ClassUnix, ClassDate:
		x, ok1 := instant(a, ca)
		y, ok2 := instant(b, cb)
		switch {
		case !ok1 || !ok2:
			return Typed
		case x.Equal(y):
			return Normalised
		case within(x, y, r.skew), ca == ClassDate && within(x, y, 24*3600e9):
			return Classed
		}
		return Typed
	case ClassHex, ClassToken:
		// A token cut in half is no longer of its class.
		if d := len(a) - len(b); d*4 > len(a) || -d*4 > len(a) {
			return Typed
		}
	case ClassText, ClassWord, ClassURL:
		if r.sameNormalised(a, b) {
			return Normalised
		}
	}
	return Classed
}

func isInstant(c Class) bool { return c == ClassTime || c == ClassUnix }

// sameInstant says whether two ways to write a time mean the same.
func (r *Rules) sameInstant(a, b []byte, ca, cb Class) bool {
	x, ok1 := instant(a, ca)
	y, ok2 := instant(b, cb)
	return ok1 && ok2 && x.Equal(y)
}

func normalisable(c Class) bool { return c == ClassText || c == ClassWord || c == ClassURL }

func (r *Rules) sameNormalised(a, b []byte) bool {
	if len(a) > 1<<16 || len(b) > 1<<16 {
		return false
	}
	return bytes.Equal(r.normalise(nil, a), r.normalise(nil, b))
}

// normalise appends a text with its ids, times and runs of digits replaced by
// their class and its white space collapsed.
func (r *Rules) normalise(dst, s []byte) []byte {
	buf, _ := r.sameHosts(nil, s)
	s = buf
	for len(s) > 0 {
		n := 0
		for n < len(s) && wordByte(s[n]) {
			n++
		}
		if n == 0 {
			space := false
			for len(s) > 0 && (s[0] == ' ' || s[0] == '\n' || s[0] == '\t' || s[0] == '\r') {
				space = true
				s = s[1:]
			}
			if space {
				if len(dst) > 0 && len(s) > 0 {
					dst = append(dst, ' ')
				}
				continue
			}
			dst = append(dst, s[0])
			s = s[1:]
			continue
		}
		word := s[:n]
		s = s[n:]
		if c := classOf(word); c == ClassUUID || c == ClassHex || c == ClassToken || c == ClassTime || c == ClassDate {
			dst = append(append(append(dst, '{'), c...), '}')
			continue
		}
		for i := 0; i < len(word); i++ {
			if word[i] < '0' || word[i] > '9' {
				dst = append(dst, word[i])
			} else if i == 0 || word[i-1] < '0' || word[i-1] > '9' {
				dst = append(dst, '#')
			}
		}
	}
	return dst
}

func wordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_' || c == ':' || c == '+' || c == '.' || c >= 0x80
}
