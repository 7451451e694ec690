package compare

import (
	"bytes"
	"fmt"
)

// markup builds a table from the tokens of HTML or XML: elements, their
// attributes, and the text between. Comments, and white space that only lays
// out, are left out.
type markup struct{ t *table }

// begin opens the document, which holds the outermost elements.
func (m markup) begin() {
	m.t.nodes = append(m.t.nodes, node{kind: nodeElement, form: byIndex})
	m.t.open(0)
}

// end closes what is still open.
func (m markup) end() {
	for len(m.t.frames) > 1 {
		m.close()
	}
	m.t.close()
}

func (m markup) room() error {
	t := m.t
	if len(t.nodes) >= t.rules.limits.Nodes {
		return fmt.Errorf("more than %d values, %w", t.rules.limits.Nodes, errBounds)
	}
	if len(t.frames) > t.rules.limits.Depth {
		return fmt.Errorf("deeper than %d, %w", t.rules.limits.Depth, errBounds)
	}
	return nil
}

// keep copies text into the arena.
func (m markup) keep(text []byte) span {
	start := len(m.t.arena)
	m.t.arena = append(m.t.arena, text...)
	return span{int32(start), int32(len(text))}
}

// keepFolded copies text with runs of white space as one space.
func (m markup) keepFolded(text []byte) span {
	t := m.t
	start := len(t.arena)
	for i, c := range text {
		if c == '\n' || c == '\t' || c == '\r' || c == '\f' {
			c = ' '
		}
		if c == ' ' && i > 0 && len(t.arena) > start && t.arena[len(t.arena)-1] == ' ' {
			continue
		}
		t.arena = append(t.arena, c)
	}
	return span{int32(start), int32(len(t.arena) - start)}
}

// element opens an element; its attributes follow.
func (m markup) element(name []byte) error {
	if err := m.room(); err != nil {
		return err
	}
	t := m.t
	id := int32(len(t.nodes))
	t.nodes = append(t.nodes, node{kind: nodeElement, form: byElement, flag: flagKey, key: m.keep(name), next: id + 1})
	t.meet(id)
	t.open(id)
	if t.tags == nil {
		t.tags = map[uint64]int{}
	}
	t.tags[hashBytes(name)]++
	return nil
}

// close ends the innermost element.
func (m markup) close() {
	m.t.tags[hashBytes(m.open(0))]--
	m.t.close()
}

func (m markup) attribute(name, value []byte) error {
	return m.leaf(byAttribute, name, bytes.TrimSpace(value))
}

func (m markup) text(text []byte) error {
	if text = bytes.TrimSpace(text); len(text) == 0 {
		return nil
	}
	return m.leaf(byText, nil, text)
}

func (m markup) leaf(form stepForm, name, value []byte) error {
	if err := m.room(); err != nil {
		return err
	}
	t := m.t
	id := int32(len(t.nodes))
	n := node{kind: nodeString, form: form, flag: flagKey | flagArena, key: m.keep(name), val: m.keepFolded(value), next: id + 1}
	t.nodes = append(t.nodes, n)
	t.meet(id)
	t.scalar(id)
	t.give(id)
	return nil
}

// open says which element is open, innermost first; nil beyond the document.
func (m markup) open(back int) []byte {
	i := len(m.t.frames) - 1 - back
	if i < 1 {
		return nil
	}
	return m.t.key(&m.t.nodes[m.t.frames[i].node])
}
