package compare

import "bytes"

// contents compares two bodies that have been unpacked.
func (d *differ) contents(a, b []byte, c contents, probe bool) Outcome {
	fa, fb := formatOf(c.kindA, a), formatOf(c.kindB, b)
	if fa != fb {
		if sa, sb := sniff(a, true), sniff(b, true); fa != formatNone && fb != formatNone && sa == sb && sa != formatText {
			fa, fb = sa, sb // only the Content-Type differs
		}
	}
	if fa != fb {
		d.report(KindFormat, formatValue(fa, a), formatValue(fb, b), Present, 0)
		return Match
	}
	if fa == formatStream || fa == formatNone {
		return Match
	}
	if fa == formatBinary {
		d.binary(a, b)
		return Match
	}
	var errA, errB error
	if fa == formatJSON && !bytes.HasPrefix(a, []byte("\xff\xfe")) && !bytes.HasPrefix(a, []byte("\xfe\xff")) {
		c.charsetA, c.charsetB = "", "" // JSON is UTF-8, whatever the label says
	}
	if a, errA = toUTF8(c.charsetA, a); errA == nil {
		b, errB = toUTF8(c.charsetB, b)
	}
	if out, stop := d.unreadable(KindCharset, errA, errB, &Answer{Body: a}, &Answer{Body: b}); stop {
		return out
	}
	if fa == formatText {
		d.lines(a, b)
		return Match
	}
	errA, errB = d.read(&d.a, fa, a, c.charsetA, probe), d.read(&d.b, fa, b, c.charsetB, probe)
	if errA == nil && errB == nil {
		d.out.present = d.presence(probe)
		d.nodes(0, 0)
		return Match
	}
	if isSyntax(errA) && isSyntax(errB) {
		// Neither is what it says it is; as text they can still be compared.
		d.lines(a, b)
		return Match
	}
	out, _ := d.unreadable(KindSyntax, errA, errB, &Answer{Body: a}, &Answer{Body: b})
	return out
}

func isSyntax(err error) bool {
	_, ok := err.(*syntaxError)
	return ok
}

// read fills a table with a body.
func (d *differ) read(t *table, f format, body []byte, charset string, probe bool) error {
	t.reset(body, d.rules)
	t.converted = charset != ""
	if d.learns(probe) {
		t.tracked = d.profile.tracked
	}
	switch f {
	case formatJSON, formatLines:
		return t.readJSON(f == formatLines)
	case formatHTML:
		return t.readHTML()
	case formatXML:
		return t.readXML()
	}
	return t.readForm()
}

// presence is the union of the tracked paths that the two tables have.
func (d *differ) presence(probe bool) []string {
	if !d.learns(probe) {
		return nil
	}
	seen := map[int32]bool{}
	present := []string{}
	for _, ids := range [][]int32{d.a.present, d.b.present} {
		for _, id := range ids {
			if !seen[id] {
				seen[id] = true
				present = append(present, d.profile.paths[id])
			}
		}
	}
	return present
}

func formatValue(f format, body []byte) Value {
	if f == formatNone {
		return Value{Type: TypeNone, Class: ClassEmpty}
	}
	return Value{Type: Type(f.String()), Class: ClassText, Length: len(body)}
}

// binary compares what can't be read, by length and hash.
func (d *differ) binary(a, b []byte) {
	if bytes.Equal(a, b) {
		return
	}
	va := Value{Type: TypeBinary, Class: ClassBinary, Length: len(a), Mark: d.mark(a)}
	vb := Value{Type: TypeBinary, Class: ClassBinary, Length: len(b), Mark: d.mark(b)}
	agree := Typed
	if len(a) == len(b) {
		agree = Classed
	}
	d.report(KindValue, va, vb, agree, 0)
}
