package compare

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"golang.org/x/net/html"
)

// void elements have no end tag.
var void = map[string]bool{
	"area": true, "base": true, "br": true, "col": true, "embed": true, "hr": true, "img": true, "input": true,
	"link": true, "meta": true, "param": true, "source": true, "track": true, "wbr": true,
}

// ends lists for an element which start tags end it, so that a left out </li>
// is the same as one that is there.
var ends = map[string][]string{
	"li": {"li"}, "dt": {"dt", "dd"}, "dd": {"dt", "dd"}, "option": {"option", "optgroup"}, "optgroup": {"optgroup"},
	"tr": {"tr", "tbody", "tfoot"}, "td": {"td", "th", "tr", "tbody", "tfoot"}, "th": {"td", "th", "tr", "tbody", "tfoot"},
	"thead": {"tbody", "tfoot"}, "tbody": {"tbody", "tfoot"}, "head": {"body"},
	"p": {"p", "div", "ul", "ol", "dl", "table", "section", "article", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "form", "main", "nav", "footer", "header"},
}

// readHTML fills the table from the tokens of a page. It builds no DOM and
// repairs nothing but end tags: both sides are read alike.
func (t *table) readHTML() error {
	m := markup{t}
	m.begin()
	z := html.NewTokenizer(bytes.NewReader(t.body))
	z.SetMaxBuf(t.rules.limits.Body)
	for {
		switch z.Next() {
		case html.ErrorToken:
			if err := z.Err(); !errors.Is(err, io.EOF) {
				return fmt.Errorf("html: %w, %w", err, errBounds)
			}
			m.end()
			return nil
		case html.TextToken:
			if err := m.text(z.Text()); err != nil {
				return err
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			if err := m.startTag(z); err != nil {
				return err
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			m.endTag(name)
		}
	}
}

func (m markup) startTag(z *html.Tokenizer) error {
	name, more := z.TagName()
	for {
		top := m.open(0)
		if top == nil || !contains(ends[string(top)], name) {
			break
		}
		m.close()
	}
	if err := m.element(name); err != nil {
		return err
	}
	empty := void[string(name)] // before the attributes overwrite the name
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		if err := m.attribute(key, value); err != nil {
			return err
		}
	}
	if empty {
		m.close()
	}
	return nil
}

func contains(names []string, name []byte) bool {
	for _, n := range names {
		if n == string(name) {
			return true
		}
	}
	return false
}

// endTag closes the innermost element of the name and all within it. A stray
// end tag is nothing.
func (m markup) endTag(name []byte) {
	if m.t.tags[hashBytes(name)] == 0 {
		return
	}
	for last := false; !last && m.open(0) != nil; {
		last = bytes.Equal(m.open(0), name)
		m.close()
	}
}
