package routes

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Bounds of what a config may hold once its aliases are followed, so that a
// few lines of aliases of aliases cannot fill the memory.
const (
	maxDepth = 32
	maxNodes = 4_000_000
)

// A decoder fills definition types from nodes and reports whatever does not fit.
type decoder struct {
	src    *source
	lookup func(name string) (string, bool)
	fields map[reflect.Type]map[string]reflect.StructField
	depth  int
	nodes  int
}

func newDecoder(src *source, lookup func(string) (string, bool)) *decoder {
	return &decoder{src: src, lookup: lookup, fields: map[reflect.Type]map[string]reflect.StructField{}}
}

// decode fills v, a pointer to a definition type, from the root of a document.
func (d *decoder) decode(root *yaml.Node, v any) {
	d.value(root, reflect.ValueOf(v).Elem(), d.src.root(), d.src.root())
}

// value fills v from n. At is the path in the definition, shown the one that
// messages name; they differ below a short form.
func (d *decoder) value(n *yaml.Node, v reflect.Value, at, shown spot) {
	n = d.resolve(n)
	if !d.enter(n, shown) {
		return
	}
	defer d.leave()
	if n.Kind == yaml.ScalarNode && !strings.HasPrefix(n.Tag, "!!") {
		d.failAt(n, shown, "has the tag "+n.Tag, "tags are not used here; remove it")
		return
	}
	if v.Kind() == reflect.Pointer {
		if isNull(n) {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if short, ok := v.Interface().(shorthand); ok {
		n = short.long(n)
	}
	if s, ok := v.Addr().Interface().(scalar); ok {
		if text, ok := d.text(n, at, shown, s.form()); ok {
			if err := s.set(text); err != nil {
				d.failAt(n, shown, fmt.Sprintf("%q %v", n.Value, err), s.form())
			}
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, v, at, shown)
	case reflect.Map:
		d.mapping(n, v, at, shown)
	case reflect.Slice:
		d.list(n, v, at, shown)
	case reflect.String:
		d.string(n, v, at, shown)
	case reflect.Bool:
		if text, ok := d.text(n, at, shown, "write true or false"); ok {
			if text != "true" && text != "false" {
				d.failAt(n, shown, fmt.Sprintf("%q is neither true nor false", n.Value), "write true or false")
			}
			v.SetBool(text == "true")
		}
	case reflect.Int:
		if text, ok := d.text(n, at, shown, "write a whole number"); ok {
			number, err := strconv.Atoi(text)
			if err != nil || number < 0 {
				d.failAt(n, shown, fmt.Sprintf("%q is not a whole number from 0", n.Value), "write a whole number, such as 300")
			}
			v.SetInt(int64(number))
		}
	default:
		panic("routes: definition types hold no " + v.Type().String())
	}
}

func (d *decoder) structure(n *yaml.Node, v reflect.Value, at, shown spot) {
	fields := d.fieldsOf(v.Type())
	known := make([]string, 0, len(fields))
	for name := range fields {
		known = append(known, name)
	}
	slices.Sort(known)
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		d.failAt(n, shown, "expected a mapping, got "+kind(n), "its keys are "+strings.Join(known, ", "))
		return
	}
	for _, p := range d.pairs(n, shown) {
		name := p.key.Value
		field, ok := fields[name]
		if !ok {
			if at.path == "" && strings.HasPrefix(name, "x-") {
				continue
			}
			d.failAt(p.key, shown.key(name), "no such key", suggest(name, known, "its keys are "+strings.Join(known, ", ")))
			continue
		}
		inner := shown.key(name)
		if p.key.Line == 0 {
			inner = shown
		}
		d.put(at.key(name), inner, p)
		d.value(p.value, v.FieldByIndex(field.Index), at.key(name), inner)
		d.checkEnum(field, v.FieldByIndex(field.Index), p.value, inner)
	}
}

// checkEnum holds a text against the words that its field allows.
func (d *decoder) checkEnum(field reflect.StructField, v reflect.Value, n *yaml.Node, at spot) {
	words := field.Tag.Get("enum")
	if words == "" || v.String() == "" {
		return
	}
	if known := strings.Split(words, ","); !slices.Contains(known, v.String()) {
		written := d.resolve(n).Value
		hint := "it is one of " + strings.Join(known, ", ")
		if near := nearest(written, known); near != "" {
			hint = fmt.Sprintf("did you mean %q? It is one of %s", near, strings.Join(known, ", "))
		}
		d.failAt(n, at, fmt.Sprintf("no %s %q", field.Tag.Get("yaml"), written), hint)
		v.SetString("")
	}
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value, at, shown spot) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		d.failAt(n, shown, "expected a mapping, got "+kind(n), "write one name: value per line")
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, p := range d.pairs(n, shown) {
		item := reflect.New(v.Type().Elem()).Elem()
		d.put(at.key(p.key.Value), shown.key(p.key.Value), p)
		d.value(p.value, item, at.key(p.key.Value), shown.key(p.key.Value))
		v.SetMapIndex(reflect.ValueOf(p.key.Value), item)
	}
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, at, shown spot) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.failAt(n, shown, "expected a list, got "+kind(n), "write it as [a, b], or one item per line with a dash")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		inner := shown.index(i)
		if n.Line == 0 {
			inner = shown
		} else if isNull(d.resolve(item)) {
			d.failAt(item, inner, "is empty", "remove the item or give it a value")
			continue
		}
		d.src.places[at.index(i).path] = place{d.position(item), inner.path}
		d.value(item, v.Index(i), at.index(i), inner)
	}
}

func (d *decoder) string(n *yaml.Node, v reflect.Value, at, shown spot) {
	if n.Kind == yaml.ScalarNode && (n.Tag == "!!int" || n.Tag == "!!float" || n.Tag == "!!bool") {
		d.failAt(n, shown, "expected text, got "+kind(n), fmt.Sprintf("put it in quotes: %q", n.Value))
		return
	}
	if text, ok := d.text(n, at, shown, "write one text"); ok {
		v.SetString(text)
	}
}

// text returns the text of a scalar with its variables replaced.
func (d *decoder) text(n *yaml.Node, at, shown spot, hint string) (string, bool) {
	if n.Kind != yaml.ScalarNode {
		d.failAt(n, shown, "expected one value, got "+kind(n), hint)
		return "", false
	}
	if isNull(n) {
		d.failAt(n, shown, "is empty", "remove the key or give it a value")
		return "", false
	}
	text, used, problem, remedy := interpolate(n.Value, d.lookup)
	for name, value := range used {
		d.src.secrets[value] = name
	}
	if problem != "" {
		d.failAt(n, shown, problem, remedy)
		return "", false
	}
	if len(used) > 0 {
		d.src.written[at.path] = n.Value
	}
	return text, true
}

// put notes where the value of a key stands: at the value if it is on the
// same line, else at the key.
func (d *decoder) put(at, shown spot, p pair) {
	where := p.value
	if p.value.Line != p.key.Line && p.key.Line != 0 {
		where = p.key
	}
	d.src.places[at.path] = place{d.position(where), shown.path}
}

func (d *decoder) position(n *yaml.Node) Position { return Position{d.src.file, n.Line, n.Column} }

func (d *decoder) failAt(n *yaml.Node, at spot, text, hint string) {
	p := Problem{At: d.position(n), Path: at.path, Text: text, Hint: hint}
	if n.Line == 0 {
		p.At = at.at()
	}
	d.src.problems = append(d.src.problems, p)
}

// enter counts a node and reports whether there is room for it.
func (d *decoder) enter(n *yaml.Node, at spot) bool {
	d.nodes++
	d.depth++
	if d.depth <= maxDepth && d.nodes <= maxNodes {
		return true
	}
	if d.nodes <= maxNodes || d.nodes == maxNodes+1 {
		d.failAt(n, at, "the aliases of this file expand to too much", "use fewer anchors and aliases, and none that contains itself")
	}
	d.depth--
	return false
}

func (d *decoder) leave() { d.depth-- }

func (d *decoder) fieldsOf(t reflect.Type) map[string]reflect.StructField {
	if fields, ok := d.fields[t]; ok {
		return fields
	}
	fields := map[string]reflect.StructField{}
	for _, f := range reflect.VisibleFields(t) {
		fields[f.Tag.Get("yaml")] = f
	}
	d.fields[t] = fields
	return fields
}
