package compare

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"sync"
)

// A differ compares two tables. It is reused, since most of what a comparison
// costs would otherwise be allocation.
type differ struct {
	rules   *Rules
	profile *Profile
	out     *Result
	a, b    table // of the control, of the candidate
	root    string
	steps   []step
	path    []byte // scratch for the template
	bufA    []byte // scratch for unescaped text
	bufB    []byte
	mask    []byte
	known   map[diffKey]int32 // index in out.Differences, once there are many
	lists   elementLists
}

type diffKey struct {
	path string
	kind Kind
}

var differs = sync.Pool{New: func() any { return new(differ) }}

func newDiffer(rules *Rules, profile *Profile, out *Result) *differ {
	d := differs.Get().(*differ)
	d.rules, d.profile, d.out, d.root = rules, profile, out, "$"
	d.steps = d.steps[:0]
	return d
}

func (d *differ) release() {
	d.a.release()
	d.b.release()
	d.rules, d.profile, d.out = nil, nil, nil
	clear(d.known)
	clear(d.steps[:cap(d.steps)])
	if cap(d.bufA)+cap(d.bufB) > 1<<18 {
		d.bufA, d.bufB = nil, nil
	}
	d.lists.release()
	differs.Put(d)
}

// nodes compares node i of the control with node j of the candidate, at the
// path that the steps say.
func (d *differ) nodes(i, j int32) {
	x, y := &d.a.nodes[i], &d.b.nodes[j]
	if x.hash == y.hash {
		return
	}
	if len(d.rules.equals) > 0 && d.equal(x, y) {
		return
	}
	switch {
	case x.kind == nodeObject && y.kind == nodeObject:
		d.members(i, j)
		if (x.flag^y.flag)&flagDouble != 0 {
			d.report(KindDuplicate, d.value(&d.a, x), d.value(&d.b, y), Normalised, 0)
		}
	case x.kind == nodeArray && y.kind == nodeArray:
		d.elements(i, j)
	case x.kind == nodeElement && y.kind == nodeElement:
		d.members(i, j)
		d.elements(i, j)
	case x.kind >= nodeArray || y.kind >= nodeArray || typeOf(x.kind) != typeOf(y.kind):
		kind := KindType
		if x.kind == nodeNull || y.kind == nodeNull {
			kind = KindNull
		}
		d.report(kind, d.value(&d.a, x), d.value(&d.b, y), Present, 0)
	default:
		d.scalars(x, y)
	}
}

// lone reports a value that only one side has.
func (d *differ) lone(t *table, n *node, i int32, kind Kind) {
	d.steps = append(d.steps, t.step(n, i))
	defer func() { d.steps = d.steps[:len(d.steps)-1] }()
	if len(d.rules.equals) > 0 {
		v, holds := t.any(n), false
		if kind == KindExtra {
			holds = d.equalAny(nil, v)
		} else {
			holds = d.equalAny(v, nil)
		}
		if holds {
			return
		}
	}
	a, b := d.value(t, n), Value{Type: TypeNone, Class: ClassAbsent}
	if kind == KindExtra {
		a, b = b, a
	}
	d.report(kind, a, b, Nothing, 0)
}

// equal asks the expressions of the path, if there are any.
func (d *differ) equal(x, y *node) bool {
	for i := range d.rules.equals {
		if e := &d.rules.equals[i]; e.root == d.root && e.matches(d.steps) {
			return e.holds(d.a.any(x), d.b.any(y))
		}
	}
	return false
}

func (d *differ) equalAny(a, b any) bool {
	for i := range d.rules.equals {
		if e := &d.rules.equals[i]; e.root == d.root && e.matches(d.steps) {
			return e.holds(a, b)
		}
	}
	return false
}

// any turns a value into what an expression can work on.
func (t *table) any(n *node) any {
	switch n.kind {
	case nodeNull:
		return nil
	case nodeFalse, nodeTrue:
		return n.kind == nodeTrue
	case nodeNumber:
		return scalar(t.raw(n))
	case nodeString:
		return string(t.text(n, nil))
	}
	var v any
	if n.kind != nodeElement {
		_ = json.Unmarshal(t.raw(n), &v) // it has been read as JSON before
	}
	return v
}

// report adds an instance of a difference at the current path.
func (d *differ) report(kind Kind, a, b Value, agree Level, gap float64) {
	d.path = appendTemplate(d.path[:0], d.root, d.steps)
	d.add(kind, a, b, agree, gap, func() string {
		d.path = appendInstance(d.path[:0], d.root, d.steps)
		return string(d.path)
	})
}

// reportAt is report for what has no steps: headers, cookies, the status.
func (d *differ) reportAt(path string, kind Kind, a, b Value, agree Level) {
	d.path = append(d.path[:0], path...)
	d.add(kind, a, b, agree, 0, func() string { return path })
}

func (d *differ) add(kind Kind, a, b Value, agree Level, gap float64, instance func() string) {
	held := d.held(a.Class, b.Class)
	if i := d.find(kind); i >= 0 {
		f := &d.out.Differences[i]
		f.Count++
		f.Agree = max(f.Agree, agree)
		f.Held = min(f.Held, held)
		f.Gap = max(f.Gap, gap)
		return
	}
	if len(d.out.Differences) >= d.rules.limits.Differences {
		d.out.More++
		return
	}
	path := string(d.path)
	where := instance()
	if where == path {
		where = ""
	}
	d.out.Differences = append(d.out.Differences, Difference{
		Path: path, Instance: where, Kind: kind, Control: a, Candidate: b, Agree: agree, Held: held, Count: 1, Gap: gap,
	})
	if len(d.out.Differences) > 16 {
		if d.known == nil {
			d.known = map[diffKey]int32{}
		}
		for i := len(d.known); i < len(d.out.Differences); i++ {
			d.known[diffKey{d.out.Differences[i].Path, d.out.Differences[i].Kind}] = int32(i)
		}
	}
}

func (d *differ) held(a, b Class) Level {
	if d.profile != nil {
		if l, ok := d.profile.levels[string(d.path)]; ok {
			return l
		}
	}
	return d.profile.held("", a, b)
}

func (d *differ) find(kind Kind) int {
	if len(d.out.Differences) > 16 {
		if i, ok := d.known[diffKey{string(d.path), kind}]; ok {
			return int(i)
		}
		return -1
	}
	for i := range d.out.Differences {
		if f := &d.out.Differences[i]; f.Kind == kind && f.Path == string(d.path) {
			return i
		}
	}
	return -1
}

// value describes a node of a table for a report.
func (d *differ) value(t *table, n *node) Value {
	v := Value{Type: typeOf(n.kind), Offset: int(n.val.off), Length: int(n.val.len)}
	raw := t.raw(n)
	switch n.kind {
	case nodeNull:
		v.Class = ClassNull
	case nodeTrue:
		v.Class = ClassTrue
	case nodeFalse:
		v.Class = ClassFalse
	case nodeNumber:
		v.Class = classOfNumber(raw)
	case nodeString:
		raw = t.text(n, nil)
		v.Class = classOf(raw)
		v.Length = len(raw)
	case nodeArray, nodeObject:
		v.Class = ClassArray
		if n.kind == nodeObject {
			v.Class = ClassObject
		}
		if n.size == 0 {
			v.Class = ClassEmpty
		}
	case nodeElement:
		v.Class = ClassElement
	}
	d.disclose(&v, raw)
	return v
}

// disclose adds the mark, and the text if the rules keep the path.
func (d *differ) disclose(v *Value, raw []byte) {
	v.Mark = d.mark(raw)
	if len(d.rules.keep) > 0 && anyMatches(d.rules.keep, d.root, d.steps) {
		v.Text = keepText(raw)
	}
}

// keptText is the longest text that is kept of one value, in bytes.
const keptText = 1024

func keepText(raw []byte) string { return string(raw[:min(len(raw), keptText)]) }

func (d *differ) mark(raw []byte) Mark {
	if len(d.rules.key) == 0 {
		return 0
	}
	d.mask = append(append(d.mask[:0], d.rules.key...), raw...)
	sum := sha256.Sum256(d.mask)
	if cap(d.mask) > 1<<16 {
		d.mask = nil
	}
	return Mark(binary.BigEndian.Uint64(sum[:]))
}

func typeOf(k nodeKind) Type {
	switch k {
	case nodeNull:
		return TypeNull
	case nodeFalse, nodeTrue:
		return TypeBool
	case nodeNumber:
		return TypeNumber
	case nodeString:
		return TypeString
	case nodeArray:
		return TypeArray
	case nodeElement:
		return TypeElement
	}
	return TypeObject
}
