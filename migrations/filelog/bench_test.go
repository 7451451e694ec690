package filelog

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// benchmarkEvents is the length of the log that is replayed.
const benchmarkEvents = 100_000

func BenchmarkOpen100k(b *testing.B) {
	const many = 200
	path := filepath.Join(b.TempDir(), "ficus.events")
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	var h migrations.Hash
	for i := range benchmarkEvents {
		e := live(fmt.Sprint("m", i%many), i)
		if i < many {
			e = created(fmt.Sprint("m", i))
		}
		e.Seq, e.Time, e.Reason = uint64(i+1), time.Unix(int64(i), 0).UTC(), "the error rate is fine, on we go"
		var line []byte
		if line, h, err = migrations.EncodeLine(h, e); err != nil {
			b.Fatal(err)
		}
		if _, err := fmt.Fprintf(file, "%s\n", line); err != nil {
			b.Fatal(err)
		}
	}
	if info, err := file.Stat(); err == nil {
		b.SetBytes(info.Size())
	}
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		l, err := Open(path, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if l.state.Seq != benchmarkEvents {
			b.Fatal(l.state.Seq)
		}
		l.Close()
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprint(writers, " writers"), func(b *testing.B) {
			l, err := Open(filepath.Join(b.TempDir(), "ficus.events"), Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			if _, err := l.Append(b.Context(), 0, created("orders")); err != nil {
				b.Fatal(err)
			}
			b.ResetTimer()
			var all sync.WaitGroup
			for w := range writers {
				all.Go(func() {
					for i := w; i < b.N; i += writers {
						if _, err := l.Append(b.Context(), migrations.Unconditional, live("orders", 1)); err != nil {
							b.Error(err)
						}
					}
				})
			}
			all.Wait()
		})
	}
}
