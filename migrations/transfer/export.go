package transfer

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/ficus-gateway/ficus/migrations"
)

// A Source is a log that yields its lines as they are kept, up to its head
// and without line feeds.
type Source interface {
	Lines(ctx context.Context) iter.Seq2[[]byte, error]
}

// Export verifies the events that a log has now, and writes their lines. The
// lines of a log that is no [Source] are made from its events, which gives
// the same bytes. After an error, what was written is not to be used.
func Export(ctx context.Context, log migrations.Log, w io.Writer) (Summary, error) {
	lines := made(ctx, log)
	if source, ok := log.(Source); ok {
		lines = source.Lines(ctx)
	}
	out := bufio.NewWriter(w)
	check := newVerifier()
	for line, err := range lines {
		if err == nil {
			err = check.add(line)
		}
		if err == nil {
			if _, err = out.Write(line); err == nil {
				err = out.WriteByte('\n')
			}
		}
		if err != nil {
			return check.summary(), fmt.Errorf("export: %w", err)
		}
	}
	if err := check.end(); err != nil {
		return check.summary(), fmt.Errorf("export: %w", err)
	}
	if err := out.Flush(); err != nil {
		return check.summary(), fmt.Errorf("export: %w", err)
	}
	return check.summary(), nil
}

// made yields the lines of the events that a log has now.
func made(ctx context.Context, log migrations.Log) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		head, err := log.Head(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		if head == 0 {
			return
		}
		var h migrations.Hash
		for e, err := range log.Follow(ctx, 0) {
			var line []byte
			if err == nil {
				line, h, err = migrations.EncodeLine(h, e)
			}
			if !yield(line, err) || err != nil || e.Seq >= head {
				return
			}
		}
	}
}
