package redislog

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ficus-gateway/ficus/migrations"
)

// The fields of an entry, in this order.
const (
	lineField   = "line"
	appendField = "append"
)

// An entry is one event in the stream.
type entry struct {
	event  migrations.Event
	hash   migrations.Hash // of its line
	line   []byte
	append string // id of the Append that it belongs to
}

// newAppendID returns 26 characters that nobody else has.
func newAppendID() string { return rand.Text() }

// entryID writes the id of an event in the stream.
func entryID(seq uint64) string { return strconv.FormatUint(seq, 10) + "-0" }

// A raw entry has been found to be of our form, but not verified.
type raw struct {
	seq    uint64
	line   []byte
	append string
}

// readRaw reads an entry as Redis replies it: the id, and a list of fields
// and values.
func readRaw(reply any) (r raw, err error) {
	pair, ok := reply.([]any)
	if !ok || len(pair) != 2 {
		return r, errors.New("not the reply of a stream")
	}
	id, _ := pair[0].(string)
	list, _ := pair[1].([]any)
	fields := make([]string, len(list))
	for i := range list {
		fields[i], _ = list[i].(string)
	}
	return parseRaw(id, fields)
}

func parseRaw(id string, fields []string) (r raw, err error) {
	fail := func(format string, args ...any) (raw, error) {
		return raw{}, fmt.Errorf("entry %.40q: %w", id, fmt.Errorf(format, args...))
	}
	number, ok := strings.CutSuffix(id, "-0")
	if ok {
		r.seq, err = strconv.ParseUint(number, 10, 64)
	}
	if !ok || err != nil || r.seq == 0 || entryID(r.seq) != id {
		return fail("event 7 would have the id 7-0")
	}
	if len(fields) != 4 || fields[0] != lineField || fields[2] != appendField || fields[3] == "" {
		return fail("an entry has the fields %s and %s", lineField, appendField)
	}
	r.line, r.append = []byte(fields[1]), fields[3]
	return r, nil
}

// verify decodes the entry that follows the one with hash prev.
func (r raw) verify(prev migrations.Hash) (entry, error) {
	event, h, err := migrations.DecodeLine(prev, r.line)
	if err == nil && event.Seq != r.seq {
		err = fmt.Errorf("its line says that it is event %d", event.Seq)
	}
	if err != nil {
		return entry{}, fmt.Errorf("entry %q: %w", entryID(r.seq), err)
	}
	return entry{event, h, r.line, r.append}, nil
}

// lineHash returns the hash that the line says it has.
func (r raw) lineHash() (migrations.Hash, error) {
	h, err := migrations.LineHash(r.line)
	if err != nil {
		return h, fmt.Errorf("entry %q: %w", entryID(r.seq), err)
	}
	return h, nil
}
