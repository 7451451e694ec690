package compare

import (
	"fmt"
	"time"

	"github.com/DataDog/sketches-go/ddsketch"
)

// Latencies compares how long the two sides took for the same requests. Its
// quantiles are within 1 %, in bounded memory.
type Latencies struct {
	control, candidate *ddsketch.DDSketch
	slower             int64 // pairs in which the candidate took longer
	pairs              int64
}

// NewLatencies returns an empty one.
func NewLatencies() *Latencies {
	return &Latencies{control: newSketch(), candidate: newSketch()}
}

func newSketch() *ddsketch.DDSketch {
	s, err := ddsketch.LogCollapsingLowestDenseDDSketch(0.01, 2048)
	if err != nil {
		panic(err) // the accuracy is a constant
	}
	return s
}

// Add counts one request that both sides answered.
func (l *Latencies) Add(control, candidate time.Duration) {
	// Only negative or infinite values are refused, and times are neither.
	_ = l.control.Add(max(control, 1).Seconds())
	_ = l.candidate.Add(max(candidate, 1).Seconds())
	l.pairs++
	if candidate > control {
		l.slower++
	}
}

// Pairs is how many requests were counted, and in what share of them the
// candidate took longer.
func (l *Latencies) Pairs() (n int64, slower float64) {
	if l.pairs == 0 {
		return 0, 0
	}
	return l.pairs, float64(l.slower) / float64(l.pairs)
}

// Quantile returns what the share q of the requests took at most, on each
// side; 0 without any.
func (l *Latencies) Quantile(q float64) (control, candidate time.Duration) {
	return quantile(l.control, q), quantile(l.candidate, q)
}

func quantile(s *ddsketch.DDSketch, q float64) time.Duration {
	v, err := s.GetValueAtQuantile(q)
	if err != nil {
		return 0
	}
	return time.Duration(v * float64(time.Second))
}

// Merge adds what another gateway counted.
func (l *Latencies) Merge(o *Latencies) error {
	if err := l.control.MergeWith(o.control); err != nil {
		return fmt.Errorf("merge latencies: %w", err)
	}
	if err := l.candidate.MergeWith(o.candidate); err != nil {
		return fmt.Errorf("merge latencies: %w", err)
	}
	l.pairs += o.pairs
	l.slower += o.slower
	return nil
}
