package compare

import (
	"maps"
	"net/url"
	"slices"
)

// readForm fills the table from a form: an object whose members are strings,
// or arrays of them where a name is there more than once.
func (t *table) readForm() error {
	values, err := url.ParseQuery(string(t.body))
	if err != nil {
		return &syntaxError{err.Error(), 0}
	}
	m := markup{t}
	t.nodes = append(t.nodes, node{kind: nodeObject, val: span{0, int32(len(t.body))}})
	t.open(0)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		list := values[name]
		if len(list) == 1 {
			if err := m.leaf(byName, []byte(name), []byte(list[0])); err != nil {
				return err
			}
			continue
		}
		if err := m.room(); err != nil {
			return err
		}
		id := int32(len(t.nodes))
		t.nodes = append(t.nodes, node{kind: nodeArray, form: byName, flag: flagKey, key: m.keep([]byte(name))})
		t.meet(id)
		t.open(id)
		for _, v := range list {
			if err := m.leaf(byIndex, nil, []byte(v)); err != nil {
				return err
			}
		}
		t.close()
	}
	t.close()
	return nil
}
