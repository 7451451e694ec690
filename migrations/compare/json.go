package compare

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// A syntaxError says where a body stops being what it says it is.
type syntaxError struct {
	what string
	at   int
}

func (e *syntaxError) Error() string { return fmt.Sprintf("byte %d: %s", e.at, e.what) }

// readJSON fills the table with one JSON text (RFC 8259), or with as many as
// there are if lines is set; those become the elements of an array. It is
// strict but for two things, which are findings and not failures: keys that
// are there twice, and invalid UTF-8.
func (t *table) readJSON(lines bool) error {
	r := jsonReader{t: t, b: t.body}
	if !lines {
		if err := r.text(); err != nil {
			return err
		}
		r.space()
		if r.i < len(r.b) {
			return r.fail("more after the value")
		}
		return nil
	}
	t.nodes = append(t.nodes, node{kind: nodeArray, val: span{0, int32(len(t.body))}})
	t.open(0)
	for {
		r.space()
		for r.i < len(r.b) && r.b[r.i] == 0x1e { // RFC 7464
			r.i++
			r.space()
		}
		if r.i == len(r.b) {
			t.close()
			return nil
		}
		if err := r.text(); err != nil {
			return err
		}
	}
}

type jsonReader struct {
	t *table
	b []byte
	i int
}

func (r *jsonReader) fail(what string) error { return &syntaxError{what, r.i} }

func (r *jsonReader) space() {
	for r.i < len(r.b) {
		switch r.b[r.i] {
		case ' ', '\n', '\t', '\r':
			r.i++
		default:
			return
		}
	}
}

// text reads one value with all that it holds. It keeps its own stack, so
// that no depth can exhaust the goroutine's.
func (r *jsonReader) text() error {
	t := r.t
	base := len(t.frames)
	for {
		// A value is due here.
		r.space()
		n := node{form: byIndex}
		if len(t.frames) > base && t.nodes[t.frames[len(t.frames)-1].node].kind == nodeObject {
			if err := r.member(&n); err != nil {
				return err
			}
			r.space()
		}
		opened, err := r.value(n)
		if err != nil {
			return err
		}
		if opened {
			r.space()
			if r.i < len(r.b) && r.b[r.i] == r.closer() {
				r.i++
				r.end()
			} else {
				continue
			}
		}
		// After a value: the ends of containers, then a comma.
		for {
			if len(t.frames) == base {
				return nil
			}
			r.space()
			if r.i == len(r.b) {
				return r.fail("unexpected end")
			}
			c := r.b[r.i]
			if c == ',' {
				r.i++
				break
			}
			if c != r.closer() {
				return r.fail("expected , or " + string(r.closer()))
			}
			r.i++
			r.end()
		}
	}
}

func (r *jsonReader) closer() byte {
	if r.t.nodes[r.t.frames[len(r.t.frames)-1].node].kind == nodeObject {
		return '}'
	}
	return ']'
}

func (r *jsonReader) end() {
	n := &r.t.nodes[r.t.close()]
	n.val.len = int32(r.i) - n.val.off
}

// member reads a name and its colon into n.
func (r *jsonReader) member(n *node) error {
	n.form = byName
	if r.i == len(r.b) || r.b[r.i] != '"' {
		return r.fail("expected a name in quotes")
	}
	s, flag, err := r.quoted()
	if err != nil {
		return err
	}
	n.key = s
	n.flag |= flag & flagUTF8
	if flag&flagEscaped != 0 {
		t := r.t
		start := len(t.arena)
		t.arena = unescape(t.arena, t.body[s.off:s.off+s.len])
		n.key = span{int32(start), int32(len(t.arena) - start)}
		n.flag |= flagKey
	}
	r.space()
	if r.i == len(r.b) || r.b[r.i] != ':' {
		return r.fail("expected :")
	}
	r.i++
	return nil
}

// value reads a scalar, or the opening of a container.
func (r *jsonReader) value(n node) (opened bool, err error) {
	t := r.t
	if r.i == len(r.b) {
		return false, r.fail("unexpected end")
	}
	if len(t.nodes) >= t.rules.limits.Nodes {
		return false, fmt.Errorf("more than %d values, %w", t.rules.limits.Nodes, errBounds)
	}
	id := int32(len(t.nodes))
	n.next = id + 1
	n.val.off = int32(r.i)
	switch c := r.b[r.i]; c {
	case '{', '[':
		if len(t.frames) >= t.rules.limits.Depth {
			return false, fmt.Errorf("deeper than %d, %w", t.rules.limits.Depth, errBounds)
		}
		n.kind = nodeObject
		if c == '[' {
			n.kind = nodeArray
		}
		r.i++
		t.nodes = append(t.nodes, n)
		t.meet(id)
		t.open(id)
		return true, nil
	case '"':
		n.kind = nodeString
		var flag nodeFlag
		if n.val, flag, err = r.quoted(); err != nil {
			return false, err
		}
		n.flag |= flag
	case 't':
		n.kind = nodeTrue
		err = r.word("true")
	case 'f':
		n.kind = nodeFalse
		err = r.word("false")
	case 'n':
		n.kind = nodeNull
		err = r.word("null")
	default:
		n.kind = nodeNumber
		end := scanNumber(r.b, r.i)
		if end == r.i {
			return false, r.fail("expected a value")
		}
		r.i = end
	}
	if err != nil {
		return false, err
	}
	if n.kind != nodeString {
		n.val.len = int32(r.i) - n.val.off
	}
	t.nodes = append(t.nodes, n)
	t.meet(id)
	t.scalar(id)
	t.give(id)
	return false, nil
}

func (r *jsonReader) word(w string) error {
	if len(r.b)-r.i < len(w) || string(r.b[r.i:r.i+len(w)]) != w {
		return r.fail("expected a value")
	}
	r.i += len(w)
	return nil
}

// quoted reads a string and returns where it is, without its quotes.
func (r *jsonReader) quoted() (span, nodeFlag, error) {
	var flag nodeFlag
	start := r.i + 1
	b := r.b
	i := start
	high := byte(0)
	for {
		if i == len(b) {
			r.i = i
			return span{}, 0, r.fail("a string without end")
		}
		c := b[i]
		if c == '"' {
			break
		}
		high |= c
		switch {
		case c < ' ':
			r.i = i
			return span{}, 0, r.fail("a control character in a string")
		case c == '\\':
			flag |= flagEscaped
			if i+1 == len(b) {
				r.i = i
				return span{}, 0, r.fail("a string without end")
			}
			switch b[i+1] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
				i += 2
			case 'u':
				if i+6 > len(b) || !isHex(b[i+2:i+6]) {
					r.i = i
					return span{}, 0, r.fail(`expected four hex digits after \u`)
				}
				i += 6
			default:
				r.i = i
				return span{}, 0, r.fail("no such escape")
			}
		default:
			i++
		}
	}
	if high >= utf8.RuneSelf && !utf8.Valid(b[start:i]) {
		flag |= flagUTF8
	}
	r.i = i + 1
	return span{int32(start), int32(i - start)}, flag, nil
}

func isHex(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

// unescape appends the text of a valid JSON string. Half of a surrogate pair
// is kept as the three bytes it would be, so that two of them stay different.
func unescape(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			dst = append(dst, s[i])
			i++
			continue
		}
		switch s[i+1] {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r := rune(hex4(s[i+2:]))
			if i+12 <= len(s) && s[i+6] == '\\' && s[i+7] == 'u' {
				if full := utf16.DecodeRune(r, rune(hex4(s[i+8:]))); full != utf8.RuneError {
					dst = utf8.AppendRune(dst, full)
					i += 12
					continue
				}
			}
			if utf16.IsSurrogate(r) {
				dst = append(dst, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f)
			} else {
				dst = utf8.AppendRune(dst, r)
			}
			i += 6
			continue
		default:
			dst = append(dst, s[i+1])
		}
		i += 2
	}
	return dst
}

func hex4(s []byte) uint32 {
	var v uint32
	for _, c := range s[:4] {
		switch {
		case c <= '9':
			c -= '0'
		case c <= 'F':
			c -= 'A' - 10
		default:
			c -= 'a' - 10
		}
		v = v<<4 | uint32(c)
	}
	return v
}

// scalar hashes a value that holds no others: a number by its canonical
// form, a string by its text.
func (t *table) scalar(i int32) {
	n := &t.nodes[i]
	h := uint64(n.kind) + 1
	switch n.kind {
	case nodeNumber:
		t.scratch = canonical(t.scratch[:0], t.raw(n))
		h = mix(h, hashBytes(t.scratch))
	case nodeString:
		text := t.raw(n)
		if n.flag&flagEscaped != 0 {
			t.scratch = unescape(t.scratch[:0], text)
			text = t.scratch
		}
		if len(t.rules.hosts) > 0 {
			if same, ok := t.rules.sameHosts(t.scratch[:0], text); ok {
				text = same
			}
		}
		h = mix(h, hashBytes(text))
	}
	n.hash, n.bag = h, h
}
