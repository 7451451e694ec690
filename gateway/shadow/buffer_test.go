package shadow

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

func TestBufferKeepsTheBeginningAndKnowsTheWhole(t *testing.T) {
	for name, size := range map[string]int{"empty": 0, "small": 10, "one class up": 5 << 10, "the cap": Cap, "one more": Cap + 1, "long": 3 * Cap} {
		t.Run(name, func(t *testing.T) {
			body := make([]byte, size)
			for i := range body {
				body[i] = byte(i * 7)
			}
			budget := NewBudget(4 * Cap)
			var whole, parts Buffer
			whole.Init(budget, int64(size))
			parts.Init(budget, -1)
			whole.Write(body)
			for rest := body; len(rest) > 0; {
				n := min(len(rest), 1+rand.IntN(9000))
				parts.Write(rest[:n])
				rest = rest[n:]
			}
			if whole.Sum() != parts.Sum() || whole.Len() != int64(size) || parts.Len() != int64(size) {
				t.Errorf("the hash depends on how the body came")
			}
			if want := body[:min(size, Cap)]; !bytes.Equal(parts.Bytes(), want) || !bytes.Equal(whole.Bytes(), want) {
				t.Errorf("kept %d and %d bytes, want %d", len(whole.Bytes()), len(parts.Bytes()), len(want))
			}
			if whole.Whole() != (size <= Cap) || whole.Lost() {
				t.Errorf("whole is %v, lost %v", whole.Whole(), whole.Lost())
			}
			whole.Free()
			parts.Free()
			if budget.Used() != 0 {
				t.Errorf("%d bytes were not given back", budget.Used())
			}
		})
	}
}

func TestBufferWithoutRoomLosesTheBodyAndNotMore(t *testing.T) {
	budget := NewBudget(10 << 10)
	var first, second Buffer
	first.Init(budget, -1)
	second.Init(budget, -1)
	first.Write(make([]byte, 1000))
	second.Write(make([]byte, 8000)) // wants 16 KiB
	if first.Lost() || !first.Whole() {
		t.Error("the buffer that had room lost its body")
	}
	if !second.Lost() || second.Whole() || second.Len() != 8000 {
		t.Errorf("the other is lost %v, whole %v, of length %d", second.Lost(), second.Whole(), second.Len())
	}
	first.Free()
	second.Free()
	if budget.Used() != 0 {
		t.Errorf("%d bytes were not given back", budget.Used())
	}
}

func TestBudgetHoldsHoweverManyAsk(t *testing.T) {
	budget := NewBudget(1000)
	var wait sync.WaitGroup
	for range 32 {
		wait.Go(func() {
			for range 1000 {
				if budget.reserve(90) {
					if used := budget.Used(); used > 1000+32*90 {
						t.Errorf("%d bytes are taken", used)
					}
					budget.release(90)
				}
			}
		})
	}
	wait.Wait()
	if budget.Used() != 0 || budget.Peak() > 1000 {
		t.Errorf("%d bytes stay taken, %d were at most", budget.Used(), budget.Peak())
	}
}

func BenchmarkBuffer32KiB(b *testing.B) {
	budget := NewBudget(1 << 20)
	body := make([]byte, 32<<10)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var buffer Buffer
		buffer.Init(budget, int64(len(body)))
		buffer.Write(body)
		buffer.Free()
	}
}

func TestABodyIsReadToItsEndOrItsError(t *testing.T) {
	budget := NewBudget(1 << 20)
	body := strings.Repeat("0123456789", 5000)
	for _, broken := range []error{nil, io.ErrUnexpectedEOF} {
		from := io.Reader(iotest.OneByteReader(strings.NewReader(body)))
		if broken != nil {
			from = io.MultiReader(from, iotest.ErrReader(broken))
		}
		var b Buffer
		b.Init(budget, -1)
		if n, err := io.Copy(&b, from); n != int64(len(body)) || err != broken || string(b.Bytes()) != body {
			t.Errorf("read %d bytes, %v; want all and %v", n, err, broken)
		}
		b.Free()
	}
	if used := budget.Used(); used != 0 {
		t.Errorf("%d bytes were not given back", used)
	}
}

func BenchmarkReadABody(b *testing.B) {
	budget := NewBudget(1 << 20)
	body := strings.Repeat("x", 20<<10)
	from := strings.NewReader(body)
	b.ReportAllocs()
	for b.Loop() {
		var kept Buffer
		kept.Init(budget, int64(len(body)))
		from.Reset(body)
		_, _ = io.Copy(&kept, io.LimitReader(from, Cap))
		kept.Free()
	}
}
