package evidence

// A Side is one of the two upstreams of a migration, as an index of [Sides].
type Side uint8

// The sides. Legacy is the monolith.
const (
	Legacy Side = iota
	Modern
)

// Sides holds a number for each side, indexed by [Side].
type Sides [2]uint64

// Sum returns the number for both sides together.
func (s Sides) Sum() uint64 { return s[Legacy] + s[Modern] }

func (s Sides) plus(o Sides) Sides {
	return Sides{s[Legacy] + o[Legacy], s[Modern] + o[Modern]}
}

// String returns "legacy" or "modern".
func (s Side) String() string {
	if s == Modern {
		return "modern"
	}
	return "legacy"
}
