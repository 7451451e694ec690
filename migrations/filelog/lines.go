package filelog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/ficus-gateway/ficus/migrations"
)

// maxLine is the longest line that is read, in bytes.
const maxLine = 64 << 20

// errTorn is the error of lines that a crash left half written, or that are
// being written at the moment.
var errTorn = errors.New("the last append is incomplete")

// lines reads a log append by append and verifies every line.
type lines struct {
	name string // of the file, for errors
	in   *bufio.Reader
	line int // number of the last line read, from 1

	// Of the last whole append:
	end   int64           // the offset behind it
	whole int             // the number of its last line
	hash  migrations.Hash // of that line
}

// An entry is one line.
type entry struct {
	event  migrations.Event
	offset int64 // of its first byte
	hash   migrations.Hash
	line   int
}

func newLines(name string, in io.Reader) *lines {
	return &lines{name: name, in: bufio.NewReaderSize(in, 64<<10)}
}

// next adds the entries of the next append to the empty slice buf. It returns
// io.EOF at the end, errTorn if less than an append is left, and otherwise an
// error that names the line and what can be done.
func (s *lines) next(buf []entry) ([]entry, error) {
	offset, hash := s.end, s.hash
	for {
		text, err := s.read()
		switch {
		case errors.Is(err, io.EOF) && len(text) == 0 && len(buf) == 0:
			return buf, io.EOF
		case errors.Is(err, io.EOF):
			return buf, errTorn
		case err != nil:
			return buf, fmt.Errorf("%s: %w", s.name, err)
		}
		s.line++
		event, h, err := migrations.DecodeLine(hash, text[:len(text)-1])
		if err != nil {
			if s.isLast(text) {
				return buf, errTorn
			}
			return buf, s.corrupt(err)
		}
		if len(buf) > 0 && event.More != buf[len(buf)-1].event.More-1 || event.More < 0 {
			return buf, s.corrupt(errors.New("the events of one append do not follow one another"))
		}
		buf = append(buf, entry{event, offset, h, s.line})
		offset, hash = offset+int64(len(text)), h
		if event.More == 0 {
			s.end, s.hash, s.whole = offset, hash, s.line
			return buf, nil
		}
	}
}

// read returns the next line with its line feed, or what there is and io.EOF.
// The text is valid until the next call.
func (s *lines) read() ([]byte, error) {
	text, err := s.in.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return text, err
	}
	long := bytes.Clone(text)
	for errors.Is(err, bufio.ErrBufferFull) {
		if len(long) > maxLine {
			return nil, s.corruptAt(s.line+1, fmt.Errorf("the line is longer than %d MiB", maxLine>>20))
		}
		text, err = s.in.ReadSlice('\n')
		long = append(long, text...)
	}
	return long, err
}

// isLast reports whether text, which could not be decoded, may be what a crash
// left of a write: not even JSON, and nothing after it. JSON with a wrong hash
// was not left by a crash.
func (s *lines) isLast(text []byte) bool {
	if json.Valid(text) {
		return false
	}
	_, err := s.in.Peek(1)
	return errors.Is(err, io.EOF)
}

func (s *lines) corrupt(err error) error { return s.corruptAt(s.line, err) }

func (s *lines) corruptAt(line int, err error) error {
	return &corruptError{s.name, line, err}
}

// A corruptError says that a log must not be used as it is.
type corruptError struct {
	name string
	line int
	err  error
}

func (e *corruptError) Error() string {
	return fmt.Sprintf("%s:%d: %v; restore the file from a backup, or move it away to begin again with the state in %s",
		e.name, e.line, e.err, checkpointPath(e.name))
}

func (e *corruptError) Unwrap() error { return e.err }
