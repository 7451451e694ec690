package flagd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ficus-gateway/ficus/routes"
)

// A tree is one JSON value that knows where it stands in its file.
type tree struct {
	kind    jsontext.Kind // '{', '[', '"', '0', 't', 'f' or 'n'
	text    string        // of a string, or a number as written
	members []member      // of an object, in order; of a repeated name the last counts
	items   []*tree       // of an array
	raw     []byte        // as written
	at      int64         // offset of the first byte
}

// A member is a name of an object and its value.
type member struct {
	name  string
	value *tree
}

// get returns the value of an object's member, nil if there is none.
func (t *tree) get(name string) *tree {
	for i := len(t.members) - 1; i >= 0; i-- {
		if t.members[i].name == name {
			return t.members[i].value
		}
	}
	return nil
}

// each calls f for every member of an object, in order, without those that a
// later one of the same name replaces.
func (t *tree) each(f func(name string, value *tree)) {
	last := make(map[string]int, len(t.members))
	for i, m := range t.members {
		last[m.name] = i
	}
	for i, m := range t.members {
		if last[m.name] == i {
			f(m.name, m.value)
		}
	}
}

// number returns the value of a number, which is infinite if it is too large.
func (t *tree) number() float64 {
	f, _ := strconv.ParseFloat(t.text, 64)
	return f
}

// value returns what encoding/json would make of the tree.
func (t *tree) value() any {
	switch t.kind {
	case '{':
		object := make(map[string]any, len(t.members))
		for _, m := range t.members {
			object[m.name] = m.value.value()
		}
		return object
	case '[':
		array := make([]any, len(t.items))
		for i, item := range t.items {
			array[i] = item.value()
		}
		return array
	case '"':
		return t.text
	case '0':
		return t.number()
	case 't', 'f':
		return t.kind == 't'
	}
	return nil
}

// kindName says what a tree is, for messages.
func (t *tree) kindName() string {
	switch t.kind {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 't', 'f':
		return "a boolean"
	}
	return "null"
}

// maxDepth bounds how deep a definition may nest.
const maxDepth = 200

// readTree reads one JSON text. Its problem has no file yet.
func readTree(data []byte) (*tree, *routes.Problem) {
	d := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true))
	t, err := readValue(d, data, 0)
	if err == nil {
		if _, err = d.ReadToken(); err == nil {
			err = &jsontext.SyntacticError{ByteOffset: d.InputOffset(), Err: errors.New("something follows the definition")}
		} else if errors.Is(err, io.EOF) {
			return t, nil
		}
	}
	p := &routes.Problem{Text: err.Error(), Hint: "the file must be one JSON object"}
	var syntax *jsontext.SyntacticError
	switch {
	case errors.As(err, &syntax):
		p.At, p.Path, p.Text = position(data, syntax.ByteOffset), string(syntax.JSONPointer), "is not JSON: "+syntax.Err.Error()
	case errors.Is(err, io.EOF):
		p.At, p.Text = position(data, 0), "the file is empty"
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		p.Text = "is not JSON: the file is cut off"
	}
	return nil, p
}

func readValue(d *jsontext.Decoder, data []byte, depth int) (*tree, error) {
	token, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	t := &tree{kind: token.Kind()}
	switch t.kind {
	case '{', '[':
		t.at = d.InputOffset() - 1
		if depth == maxDepth {
			return nil, &jsontext.SyntacticError{ByteOffset: t.at, JSONPointer: d.StackPointer(), Err: fmt.Errorf("nested more than %d deep", maxDepth)}
		}
	case '"':
		t.text = token.String()
		t.at = start(data, d.InputOffset())
	case '0':
		t.text = token.String()
		t.at = d.InputOffset() - int64(len(t.text))
	case 't', 'n':
		t.at = d.InputOffset() - 4
	case 'f':
		t.at = d.InputOffset() - 5
	}
	switch t.kind {
	case '{':
		for d.PeekKind() != '}' {
			name, err := d.ReadToken()
			if err != nil {
				return nil, err
			}
			m := member{name: name.String()}
			if m.value, err = readValue(d, data, depth+1); err != nil {
				return nil, err
			}
			t.members = append(t.members, m)
		}
		_, err = d.ReadToken()
	case '[':
		for d.PeekKind() != ']' {
			item, err := readValue(d, data, depth+1)
			if err != nil {
				return nil, err
			}
			t.items = append(t.items, item)
		}
		_, err = d.ReadToken()
	}
	t.raw = data[t.at:d.InputOffset()]
	return t, err
}

// start returns where the string that ends at an offset begins.
func start(data []byte, end int64) int64 {
	for at := end - 2; at >= 0; at-- {
		if data[at] != '"' {
			continue
		}
		escapes := 0
		for i := at - 1; i >= 0 && data[i] == '\\'; i-- {
			escapes++
		}
		if escapes%2 == 0 {
			return at
		}
	}
	return 0
}

// position returns the line and column, in bytes, of an offset.
func position(data []byte, offset int64) routes.Position {
	before := data[:min(max(offset, 0), int64(len(data)))]
	line := bytes.Count(before, []byte("\n"))
	return routes.Position{Line: line + 1, Col: len(before) - bytes.LastIndexByte(before, '\n')}
}

// pointer appends one step to a JSON pointer (RFC 6901).
func pointer(path, step string) string {
	return path + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(step)
}
