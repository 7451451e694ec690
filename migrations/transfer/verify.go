package transfer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/ficus-gateway/ficus/migrations"
)

// maxLine is the longest line that is read, in bytes, as in a file log.
const maxLine = 64 << 20

// A Summary is what a whole log comes to.
type Summary struct {
	Events int              // how many there are
	First  uint64           // number of the first, 0 if there is none
	Last   uint64           // number of the last
	Hash   migrations.Hash  // of the last line: two logs with the same one are the same
	State  migrations.State // after the last event
}

// Verify reads a log and checks every line: that it follows from those before
// it by its hash and its number, that its event can be applied, and that no
// append is incomplete. An empty log is right. The error names the line.
func Verify(r io.Reader) (Summary, error) {
	check := newVerifier()
	for line, err := range lines(r) {
		if err == nil {
			err = check.add(line)
		}
		if err != nil {
			return check.summary(), err
		}
	}
	err := check.end()
	return check.summary(), err
}

// A verifier checks line after line.
type verifier struct {
	Summary
	fold migrations.Fold
	more int // events of the same append that must follow
}

func newVerifier() *verifier { return new(verifier) }

func (v *verifier) add(line []byte) error {
	e, h, err := migrations.DecodeLine(v.Hash, line)
	if err == nil && (e.More < 0 || v.more > 0 && e.More != v.more-1) {
		err = errors.New("the events of one append do not follow one another")
	}
	if err == nil {
		err = v.fold.Apply(e)
	}
	if err != nil {
		return fmt.Errorf("line %d: %w", v.Events+1, err)
	}
	if v.Events == 0 {
		v.First = e.Seq
	}
	v.Events++
	v.Last, v.Hash, v.more = e.Seq, h, e.More
	return nil
}

func (v *verifier) end() error {
	if v.more > 0 {
		return fmt.Errorf("line %d: the log ends inside of an append: %d more events belong to it", v.Events, v.more)
	}
	return nil
}

func (v *verifier) summary() Summary {
	v.State = v.fold.State()
	return v.Summary
}

// lines yields the lines of a text without their line feeds.
func lines(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		in := bufio.NewReaderSize(r, 64<<10)
		for n := 1; ; n++ {
			var line []byte
			for {
				part, err := in.ReadSlice('\n')
				line = append(line, part...)
				switch {
				case len(line) > maxLine:
					yield(nil, fmt.Errorf("line %d is longer than %d MiB", n, maxLine>>20))
					return
				case errors.Is(err, bufio.ErrBufferFull):
					continue
				case errors.Is(err, io.EOF) && len(line) == 0:
					return
				case errors.Is(err, io.EOF):
					yield(nil, fmt.Errorf("line %d does not end with a line feed: the text was cut short", n))
					return
				case err != nil:
					yield(nil, err)
					return
				}
				break
			}
			if !yield(bytes.TrimSuffix(line, []byte("\n")), nil) {
				return
			}
		}
	}
}
