package compare

import (
	"bytes"
	"errors"
	"math"
	"strconv"
)

// Compare says how the candidate's answer differs from the control's. Rules
// and profile may be nil. It is a pure function, safe for concurrent use, and
// bounded in time and memory by the rules' limits whatever the bodies hold.
func Compare(control, candidate *Answer, rules *Rules, profile *Profile) Result {
	return compare(control, candidate, rules, profile, false)
}

// Probe compares two answers of the control, for [Noise.Learn]. Unlike
// Compare it reads bodies that are equal too, to learn which of the profile's
// paths they have.
func Probe(first, second *Answer, rules *Rules, profile *Profile) Result {
	return compare(first, second, rules, profile, true)
}

func compare(control, candidate *Answer, rules *Rules, profile *Profile, probe bool) Result {
	if rules == nil {
		rules = defaultRules
	}
	var out Result
	d := newDiffer(rules, profile, &out)
	defer d.release()
	switch a, b := control.failing(), candidate.failing(); {
	case b && !a:
		out.failing = 1
	case a && !b:
		out.failing = -1
	}
	if candidate.Failure != "" {
		d.failure(control, candidate)
		return out
	}
	if control.Failure != "" {
		d.reportAt(Status, KindExtra, Value{Type: TypeNone, Class: ClassAbsent}, statusValue(candidate.Status), Nothing)
		out.Outcome = Mismatch
		return out
	}
	d.status(control.Status, candidate.Status)
	d.headers(control.Header, candidate.Header)
	d.cookies(control.Header, candidate.Header)
	charsets := d.contentType(control.Header.Get("Content-Type"), candidate.Header.Get("Content-Type"))
	// Another class of status explains any other body.
	verdict := Match
	if control.Status/100 == candidate.Status/100 {
		verdict = d.bodies(control, candidate, charsets, probe)
	}
	out.Outcome = verdict
	if out.Unaccepted() > 0 {
		out.Outcome = Mismatch
	}
	return out
}

func (d *differ) failure(control, candidate *Answer) {
	d.out.Outcome = candidate.Failure
	kind := KindFailed
	if candidate.Failure == TimedOut {
		kind = KindTimeout
	}
	a := statusValue(control.Status)
	if control.Failure != "" {
		a = Value{Type: TypeNone, Class: ClassAbsent}
	}
	d.reportAt(Status, kind, a, Value{Type: TypeNone, Class: ClassAbsent}, Nothing)
}

func (d *differ) status(a, b int) {
	if a == b {
		return
	}
	for i := range d.rules.equals {
		if e := &d.rules.equals[i]; e.root == Status && e.holds(a, b) {
			return
		}
	}
	agree := Present
	if a/100 == b/100 {
		agree = Typed
	}
	d.reportAt(Status, KindStatus, statusValue(a), statusValue(b), agree)
}

// statusValue is told in full: it is nobody's secret.
func statusValue(status int) Value {
	text := strconv.Itoa(status)
	return Value{Type: TypeNumber, Class: ClassInteger, Length: len(text), Text: text}
}

// A contents is what the Content-Types of the two sides say.
type contents struct {
	kindA, kindB       string
	charsetA, charsetB string
}

// contentType compares the media types and charsets. Not naming a charset is
// the same as naming UTF-8.
func (d *differ) contentType(a, b string) contents {
	var c contents
	c.kindA, c.charsetA = media(a)
	c.kindB, c.charsetB = media(b)
	const name = "Content-Type"
	if a == b || anyMatchesName(d.rules.ignore, "header", name) {
		return c
	}
	switch {
	case b == "":
		d.named("header."+name, KindMissing, "header", a, b, Nothing, name)
	case a == "":
		d.named("header."+name, KindExtra, "header", a, b, Nothing, name)
	case c.kindA != c.kindB:
		d.named("header."+name, KindValue, "header", a, b, Typed, name)
	case orUTF8(c.charsetA) != orUTF8(c.charsetB):
		d.named("header."+name, KindCharset, "header", a, b, Typed, name)
	}
	return c
}

func orUTF8(charset string) string {
	switch charset {
	case "", "utf8", "us-ascii", "ascii":
		return "utf-8"
	}
	return charset
}

// bodies compares the bodies, and returns what the outcome is if nothing that
// counts was found.
func (d *differ) bodies(control, candidate *Answer, c contents, probe bool) Outcome {
	if c.kindA == "text/event-stream" && c.kindB == c.kindA {
		return Match
	}
	encA, encB := control.Header.Get("Content-Encoding"), candidate.Header.Get("Content-Encoding")
	same, known := sameBytes(control, candidate)
	if same && known && encA == encB && !d.learns(probe) {
		return Match
	}
	if control.Truncated || candidate.Truncated {
		if same && encA == encB {
			return Match
		}
		d.out.Why = "a body is longer than what is captured"
		return Truncated
	}
	if len(control.Body) > math.MaxInt32 || len(candidate.Body) > math.MaxInt32 {
		d.out.Why = "a body is beyond 2 GiB"
		return Undecodable
	}
	a, errA := decode([]byte(encA), control.Body, d.rules.limits)
	b, errB := decode([]byte(encB), candidate.Body, d.rules.limits)
	if out, stop := d.unreadable(KindEncoding, errA, errB, control, candidate); stop {
		return out
	}
	if bytes.Equal(a, b) && c.charsetA == c.charsetB && !d.learns(probe) {
		return Match
	}
	return d.contents(a, b, c, probe)
}

// learns says whether equal bodies are read all the same.
func (d *differ) learns(probe bool) bool {
	return probe && d.profile != nil && d.profile.tracked != nil
}

// sameBytes says whether the bodies are the same as they were on the wire, and
// whether that can be told.
func sameBytes(a, b *Answer) (same, known bool) {
	if a.Hash != [32]byte{} && b.Hash != [32]byte{} {
		return a.Hash == b.Hash && a.Length == b.Length, true
	}
	if a.Truncated || b.Truncated {
		return false, false
	}
	return bytes.Equal(a.Body, b.Body), true
}

// unreadable handles bodies that could not be read: what only one side has
// wrong is a difference, the rest is an outcome of its own.
func (d *differ) unreadable(kind Kind, errA, errB error, a, b *Answer) (Outcome, bool) {
	switch {
	case errA == nil && errB == nil:
		return "", false
	case errors.Is(errA, errBounds) || errors.Is(errB, errBounds), errA != nil && errB != nil:
		d.out.Why = firstError(errA, errB).Error()
		return Undecodable, true
	}
	d.out.Why = firstError(errA, errB).Error()
	va := Value{Type: TypeBinary, Class: ClassBinary, Length: len(a.Body)}
	vb := Value{Type: TypeBinary, Class: ClassBinary, Length: len(b.Body)}
	d.steps = d.steps[:0]
	d.report(kind, va, vb, Present, 0)
	return Match, true
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
