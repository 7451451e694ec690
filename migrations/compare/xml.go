package compare

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"golang.org/x/net/html/charset"
)

// readXML fills the table from the tokens of a document. Prefixes don't
// count, the namespaces that they stand for do. No external entity is read.
func (t *table) readXML() error {
	m := markup{t}
	m.begin()
	x := xml.NewDecoder(bytes.NewReader(t.body))
	x.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		if t.converted {
			return in, nil // the Content-Type named the charset, and wins
		}
		return charset.NewReaderLabel(label, in)
	}
	var spaces []string // of the open elements
	for {
		token, err := x.Token()
		if errors.Is(err, io.EOF) {
			if len(t.nodes) == 1 {
				return &syntaxError{"no element", 0}
			}
			m.end()
			return nil
		}
		if err != nil {
			return &syntaxError{fmt.Sprintf("xml: %v", err), int(x.InputOffset())}
		}
		switch token := token.(type) {
		case xml.StartElement:
			if err := m.element([]byte(token.Name.Local)); err != nil {
				return err
			}
			outer := ""
			if len(spaces) > 0 {
				outer = spaces[len(spaces)-1]
			}
			if token.Name.Space != outer {
				if err := m.attribute([]byte("xmlns"), []byte(token.Name.Space)); err != nil {
					return err
				}
			}
			spaces = append(spaces, token.Name.Space)
			for _, a := range token.Attr {
				if a.Name.Space == "xmlns" || a.Name.Local == "xmlns" {
					continue
				}
				if err := m.attribute([]byte(a.Name.Local), []byte(a.Value)); err != nil {
					return err
				}
			}
		case xml.EndElement:
			spaces = spaces[:len(spaces)-1]
			m.close()
		case xml.CharData:
			if err := m.text(token); err != nil {
				return err
			}
		}
	}
}
