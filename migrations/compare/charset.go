package compare

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/unicode"
)

// toUTF8 turns a text of a declared charset into UTF-8. Without one it is
// taken for UTF-8, whatever it holds: a wrong byte is for the comparison to
// see. A byte order mark goes, and wins over the declaration.
func toUTF8(label string, body []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(body, []byte("\xef\xbb\xbf")):
		return body[3:], nil
	case bytes.HasPrefix(body, []byte("\xff\xfe")), bytes.HasPrefix(body, []byte("\xfe\xff")):
		return unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Bytes(body)
	}
	switch label {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		return body, nil
	case "iso-8859-1", "latin1":
		// Not windows-1252, which browsers take it for: the two agree on every
		// printable character of ISO 8859-1.
		return latin1(body), nil
	}
	e, _ := charset.Lookup(label)
	if e == nil {
		return nil, fmt.Errorf("unknown charset %q, %w", label, errBounds)
	}
	return e.NewDecoder().Bytes(body)
}

func latin1(body []byte) []byte {
	out := make([]byte, 0, len(body)+len(body)/8)
	for _, c := range body {
		out = utf8.AppendRune(out, rune(c))
	}
	return out
}
