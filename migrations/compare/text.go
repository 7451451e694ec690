package compare

import "bytes"

// textLines is how many differing lines of a plain text are looked at.
const textLines = 64

// lines compares plain texts line by line: what is the same at the beginning
// and at the end is set aside, the rest is paired in order. All of it counts
// as the one path text[*].
func (d *differ) lines(a, b []byte) {
	if bytes.Equal(a, b) {
		return
	}
	d.root = "text"
	d.steps = d.steps[:0]
	defer func() { d.root = "$" }()
	line, offset := int32(1), 0
	for {
		x, restA := cutLine(a)
		y, restB := cutLine(b)
		if !bytes.Equal(x, y) || len(a) == 0 || len(b) == 0 {
			break
		}
		offset += len(a) - len(restA)
		a, b, line = restA, restB, line+1
	}
	for {
		x, restA := cutLastLine(a)
		y, restB := cutLastLine(b)
		if !bytes.Equal(x, y) || len(a) == 0 || len(b) == 0 {
			break
		}
		a, b = restA, restB
	}
	for n := 0; (len(a) > 0 || len(b) > 0) && n < textLines; n++ {
		x, restA := cutLine(a)
		y, restB := cutLine(b)
		switch {
		case len(b) == 0:
			d.line(KindMissing, x, nil, offset, line)
		case len(a) == 0:
			d.line(KindExtra, nil, y, offset, line)
		case !bytes.Equal(x, y):
			d.line(KindValue, x, y, offset, line)
		}
		offset += len(a) - len(restA)
		a, b, line = restA, restB, line+1
	}
}

func (d *differ) line(kind Kind, a, b []byte, offset int, line int32) {
	d.steps = append(d.steps[:0], step{form: byIndex, index: line})
	defer func() { d.steps = d.steps[:0] }()
	if d.tolerated(a, b) || anyMatches(d.rules.ignore, d.root, d.steps) {
		return
	}
	agree := Nothing
	va, vb := Value{Type: TypeNone, Class: ClassAbsent}, Value{Type: TypeNone, Class: ClassAbsent}
	if kind != KindExtra {
		va = d.lineValue(a, offset)
	}
	if kind != KindMissing {
		vb = d.lineValue(b, offset)
	}
	if kind == KindValue {
		agree = d.rules.agree(TypeString, a, b, va.Class, vb.Class)
	}
	d.report(kind, va, vb, agree, 0)
}

func (d *differ) lineValue(s []byte, offset int) Value {
	v := Value{Type: TypeString, Class: classOf(s), Length: len(s), Offset: offset}
	d.disclose(&v, s)
	return v
}

func cutLine(s []byte) (line, rest []byte) {
	i := bytes.IndexByte(s, '\n')
	if i < 0 {
		return bytes.TrimSuffix(s, []byte("\r")), nil
	}
	return bytes.TrimSuffix(s[:i], []byte("\r")), s[i+1:]
}

func cutLastLine(s []byte) (line, rest []byte) {
	body := bytes.TrimSuffix(s, []byte("\n"))
	i := bytes.LastIndexByte(body, '\n')
	return bytes.TrimSuffix(body[i+1:], []byte("\r")), s[:i+1]
}
