package compare

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// A Kind says in what way two values differ.
type Kind string

// The kinds of difference.
const (
	KindValue     Kind = "value"     // another value of the same type
	KindType      Kind = "type"      // another type: a number as a string
	KindNull      Kind = "null"      // null on one side only
	KindMissing   Kind = "missing"   // the candidate lacks it
	KindExtra     Kind = "extra"     // the control lacks it
	KindOrder     Kind = "order"     // the same elements in another order
	KindCount     Kind = "count"     // arrays of different lengths, with too many elements left over to pair
	KindDuplicate Kind = "duplicate" // a key is there twice on one side only
	KindUTF8      Kind = "utf-8"     // invalid UTF-8 on one side only
	KindFormat    Kind = "format"    // HTML for JSON, or a body for none
	KindSyntax    Kind = "syntax"    // one side can't be parsed
	KindEncoding  Kind = "encoding"  // one side's gzip, br or zstd is broken
	KindCharset   Kind = "charset"   // the Content-Type names another charset
	KindStatus    Kind = "status"    // another status
	KindFailed    Kind = "failed"    // no answer from the candidate
	KindTimeout   Kind = "timeout"   // none in time
)

// Status is the path of the status line, and of an answer that never came.
const Status = "status"

// A Difference is where two answers differ, for all instances of one path
// template and kind: `$.items[*].etag` may stand for fifty etags. It holds no
// value of the answers unless the rules say keep.
type Difference struct {
	Path      string  `json:"path"`               // template: $.items[*].etag, header.Vary, cookie.sid.Secure, status
	Instance  string  `json:"instance,omitempty"` // the first, if it says more than Path: $.items[3].etag
	Kind      Kind    `json:"kind"`               //
	Control   Value   `json:"control"`            // of the first instance
	Candidate Value   `json:"candidate"`          //
	Agree     Level   `json:"agree"`              // finest level at which all instances agree
	Held      Level   `json:"held"`               // level that the candidate is held to here
	Count     int     `json:"count"`              // instances
	Gap       float64 `json:"gap,omitempty"`      // numbers: greatest |control − candidate| / |control|
}

// Accepted says that the difference is within the noise that is known, or
// expected, at its path.
func (d *Difference) Accepted() bool { return d.Agree <= d.Held }

func (d *Difference) String() string {
	return fmt.Sprintf("%s: %s: %s → %s", d.Path, d.Kind, d.Control, d.Candidate)
}

// A Value describes one side of a difference without telling it: its type,
// class, length and keyed hash, by which equal values can still be seen.
type Value struct {
	Type   Type   `json:"type"`
	Class  Class  `json:"class"`
	Length int    `json:"length"`         // in bytes
	Offset int    `json:"offset"`         // in the decoded body; in markup and forms, in their text alone
	Mark   Mark   `json:"mark,omitzero"`  // keyed hash; zero without a key
	Text   string `json:"text,omitempty"` // only of a path that the rules keep
}

func (v Value) String() string {
	if v.Text != "" {
		return v.Text
	}
	if v.Class == ClassAbsent {
		return string(v.Class)
	}
	return fmt.Sprintf("%s (%s, %d bytes)", v.Class, v.Type, v.Length)
}

// A Mark is a keyed hash, cut to 64 bits: equal values have equal marks, and
// without the key a mark says nothing.
type Mark uint64

// MarshalJSON writes 16 hex digits.
func (m Mark) MarshalJSON() ([]byte, error) { return json.Marshal(fmt.Sprintf("%016x", uint64(m))) }

// UnmarshalJSON reads 16 hex digits.
func (m *Mark) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != 8 {
		return fmt.Errorf("a mark is 16 hex digits, not %q", s)
	}
	*m = 0
	for _, x := range raw {
		*m = *m<<8 | Mark(x)
	}
	return nil
}
