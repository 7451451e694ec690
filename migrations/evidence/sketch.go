package evidence

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/DataDog/sketches-go/ddsketch"
	"github.com/DataDog/sketches-go/ddsketch/mapping"
	"github.com/DataDog/sketches-go/ddsketch/store"
)

// A Sketch holds durations so that their quantiles can be asked for with a
// relative error of at most 1 %, and adds up across gateways exactly. It is a
// DDSketch (Masson, Rim and Lee, "DDSketch: A Fast and Fully-Mergeable Quantile
// Sketch with Relative-Error Guarantees", VLDB 2019) of at most 1,102 counters.
//
// A Sketch belongs to one goroutine. The zero value is empty and ready.
type Sketch struct {
	sketch *ddsketch.DDSketch
}

// What a sketch tells apart; what lies outside counts as the nearest.
const (
	Fastest  = time.Microsecond
	Slowest  = time.Hour
	accuracy = 0.01
)

var (
	latencies       = mustMapping()
	lowest, highest = latencies.Index(Fastest.Seconds()), latencies.Index(Slowest.Seconds())
)

func mustMapping() mapping.IndexMapping {
	m, err := mapping.NewLogarithmicMapping(accuracy)
	if err != nil {
		panic(err) // the accuracy is a constant
	}
	return m
}

func (s *Sketch) bins() store.Store {
	if s.sketch == nil {
		s.sketch = ddsketch.NewDDSketchFromStoreProvider(latencies, store.DenseStoreConstructor)
	}
	return s.sketch.GetPositiveValueStore()
}

// Add counts one duration.
func (s *Sketch) Add(d time.Duration) {
	s.bins().Add(latencies.Index(min(max(d, Fastest), Slowest).Seconds()))
}

// Len returns how many durations were counted.
func (s *Sketch) Len() uint64 {
	if s.sketch == nil {
		return 0
	}
	return uint64(s.sketch.GetCount())
}

// Quantile returns the duration that a share q of those counted, 0 to 1, do
// not exceed; 0 if there are none.
func (s *Sketch) Quantile(q float64) time.Duration {
	if s.Len() == 0 {
		return 0
	}
	seconds, err := s.sketch.GetValueAtQuantile(q)
	if err != nil {
		return 0
	}
	return time.Duration(seconds * float64(time.Second))
}

// Merge adds the counts of o, which stays as it is.
func (s *Sketch) Merge(o *Sketch) {
	if o.Len() > 0 {
		s.bins().MergeWith(o.bins())
	}
}

// Clone returns a copy that shares nothing with s.
func (s *Sketch) Clone() *Sketch {
	out := new(Sketch)
	out.Merge(s)
	return out
}

// MarshalJSON writes the counters as base64 of unsigned varints: for each that
// is not zero, ascending, the distance of its index from the one before, and
// its count.
func (s *Sketch) MarshalJSON() ([]byte, error) {
	b := []byte{}
	if s.Len() > 0 {
		last := lowest
		s.bins().ForEach(func(index int, count float64) bool {
			if count > 0 {
				b = binary.AppendUvarint(b, uint64(index-last))
				b = binary.AppendUvarint(b, uint64(count))
				last = index
			}
			return false
		})
	}
	return json.Marshal(b)
}

var errSketch = errors.New("the sketch is malformed")

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Sketch) UnmarshalJSON(text []byte) error {
	var b []byte
	if err := json.Unmarshal(text, &b); err != nil {
		return fmt.Errorf("%w: %w", errSketch, err)
	}
	out := Sketch{}
	at := lowest
	for first := true; len(b) > 0; first = false {
		distance, n := binary.Uvarint(b)
		if n <= 0 || distance > uint64(highest-at) || distance == 0 && !first {
			return errSketch
		}
		count, m := binary.Uvarint(b[n:])
		if m <= 0 || count == 0 || count > 1<<50 {
			return errSketch
		}
		b = b[n+m:]
		at += int(distance)
		out.bins().AddWithCount(at, float64(count))
	}
	*s = out
	return nil
}
