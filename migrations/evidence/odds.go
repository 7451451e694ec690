package evidence

import (
	"encoding/json"
	"fmt"
	"math"
)

// An Odds is a candidate θ: how many times as likely a bad event is thought
// to be on the service as on the monolith. Infinity says that the monolith
// has none at all. In JSON infinity is written as "inf".
type Odds float64

// A Grid is the candidates that the evidence is averaged over. The mean of
// test martingales is one, so that no candidate needs to be chosen
// beforehand; it costs at most a factor of their number.
type Grid []Odds

// Infinity is the candidate that says the monolith has no bad events at all.
var Infinity = Odds(math.Inf(1))

// Worse returns the grid of the guard: 2, 4, 8, 16, 32, 64, 128, ∞.
func Worse() Grid { return Grid{2, 4, 8, 16, 32, 64, 128, Infinity} }

// Fewer returns the grid for keys that were answered well: 1, 1/4, 1/32.
func Fewer() Grid { return Grid{1, 0.25, 1. / 32} }

// Either returns the grid of the sample-ratio check, which looks both ways.
func Either() Grid { return Grid{0.25, 0.5, 0.8, 0.9, 1.1, 1.25, 2, 4} }

// Paired returns the grid of the paired comparison. Its one candidate, 19 with
// w = 1/2, is the bet of λ = 0.9 on a fair coin: θ = (1+λ)/(1−λ), so that each
// success multiplies the evidence by 1.9 and each failure by 0.1.
func Paired() Grid { return Grid{19} }

func (o Odds) valid() bool { return o > 0 } // false for NaN

// MarshalJSON writes infinity as "inf", everything else as a number.
func (o Odds) MarshalJSON() ([]byte, error) {
	if o == Infinity {
		return []byte(`"inf"`), nil
	}
	if !o.valid() {
		return nil, fmt.Errorf("odds %v are not above zero", float64(o))
	}
	return json.Marshal(float64(o))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (o *Odds) UnmarshalJSON(text []byte) error {
	if string(text) == `"inf"` {
		*o = Infinity
		return nil
	}
	var f float64
	if err := json.Unmarshal(text, &f); err != nil {
		return fmt.Errorf("odds are a number above zero or \"inf\": %w", err)
	}
	if *o = Odds(f); !o.valid() {
		return fmt.Errorf("odds %v are not above zero", f)
	}
	return nil
}
