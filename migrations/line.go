package migrations

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	jsonv2 "github.com/go-json-experiment/json"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// A Hash chains a line of the log to all lines before it. The zero value
// stands before the first line.
type Hash [sha256.Size]byte

// String writes the hash as 64 hex digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes the hash as 64 hex digits.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText reads 64 hex digits.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(h)) {
		return errors.New("a hash has 64 hex digits")
	}
	_, err := hex.Decode(h[:], text)
	return err
}

// ErrHash is the error of a line whose hash is not that of its content after
// the lines before it.
var ErrHash = errors.New("the hash does not fit this line after those before it")

const (
	hashOpens = `,"hash":"`
	hashEnds  = `"}`
	hashTail  = len(hashOpens) + 2*sha256.Size + len(hashEnds)
)

// EncodeLine writes an event as the line, without a line feed, that follows
// the line with hash prev. The package documentation specifies it.
func EncodeLine(prev Hash, e Event) (line []byte, h Hash, err error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return nil, h, fmt.Errorf("event %d: %w", e.Seq, err)
	}
	line = bytes.TrimSuffix(b.Bytes(), []byte("}\n"))
	h = chain(prev, line)
	line = append(line, hashOpens...)
	line = hex.AppendEncode(line, h[:])
	return append(line, hashEnds...), h, nil
}

// DecodeLine reads the line that follows the line with hash prev. It is
// strict: what EncodeLine of this or an older program could not have written
// is refused.
func DecodeLine(prev Hash, line []byte) (Event, Hash, error) {
	h, err := LineHash(line)
	if err != nil {
		return Event{}, h, err
	}
	content := line[:len(line)-hashTail]
	if chain(prev, content) != h {
		return Event{}, h, ErrHash
	}
	// Only whoever can compute the hash gets here, so this is our own writing or
	// that of a newer program, whose new members must not be skipped.
	var record struct {
		Event
		Hash Hash `json:"hash"`
	}
	if err := jsonv2.Unmarshal(line, &record, jsonv2.RejectUnknownMembers(true), jsonv1.FormatDurationAsNano(true)); err != nil {
		return Event{}, h, fmt.Errorf("not an event that this program knows: %w", err)
	}
	return record.Event, h, nil
}

// LineHash returns the hash that a line ends with, unverified.
func LineHash(line []byte) (h Hash, err error) {
	at := len(line) - hashTail
	if at < 1 || string(line[at:at+len(hashOpens)]) != hashOpens || string(line[len(line)-len(hashEnds):]) != hashEnds {
		return h, errors.New(`not a line of the log: it does not end in "hash" with 64 hex digits`)
	}
	if err := h.UnmarshalText(line[at+len(hashOpens) : len(line)-len(hashEnds)]); err != nil {
		return h, fmt.Errorf("not a line of the log: %w", err)
	}
	return h, nil
}

func chain(prev Hash, content []byte) (h Hash) {
	d := sha256.New()
	d.Write(prev[:])
	d.Write(content)
	d.Sum(h[:0])
	return h
}
