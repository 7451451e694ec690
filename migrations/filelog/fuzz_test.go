package filelog

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/migrations"
)

// Whatever is in the file: it is refused unchanged, or what opens is a log
// that can be appended to and is the same after reopening.
func FuzzReadLog(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "ficus.events")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		options := Options{Logger: slog.New(slog.DiscardHandler)}
		l, err := Open(path, options)
		if err != nil {
			if after, _ := os.ReadFile(path); string(after) != string(text) {
				t.Fatal("a refused file was changed")
			}
			var corrupt *corruptError
			if !errors.As(err, &corrupt) || corrupt.line < 1 {
				t.Fatalf("the error names no line: %v", err)
			}
			return
		}
		before := latest(t, l)
		id := fmt.Sprint("new", time.Now().UnixNano())
		if _, err := l.Append(t.Context(), migrations.Unconditional, created(id)); err != nil {
			if before.Seq < 1<<62 && before.Time.Year() < 9999 {
				t.Fatal(err)
			}
		}
		want := latest(t, l)
		mustClose(t, l)
		if l, err = Open(path, options); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, latest(t, l)); diff != "" {
			t.Fatal(diff)
		}
		mustClose(t, l)
	})
}
