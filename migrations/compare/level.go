package compare

import "fmt"

// A Level is how finely two values agree. The finest level at which the
// control agrees with itself is the one that the candidate is held to, so that
// a clock is no difference but a clock replaced by "" is.
type Level uint8

// The levels, from fine to coarse. What agrees at one agrees at all that are
// coarser.
const (
	Exact      Level = iota // the same value
	Normalised              // the same after ids, times, digits and white space within a text, or the order of an array, are set aside
	Classed                 // the same class: both a uuid, both a time within the skew, …
	Typed                   // the same type: both a string, both a number, …
	Present                 // both are there
	Nothing                 // one is there, the other is not
)

// levels is how many levels a test can be about: at Nothing all agree.
const levels = int(Nothing)

var levelNames = [...]string{"exact", "normalised", "class", "type", "presence", "nothing"}

func (l Level) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return fmt.Sprintf("level(%d)", uint8(l))
}

// MarshalText writes the level's name.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads the level's name.
func (l *Level) UnmarshalText(b []byte) error {
	for i, name := range levelNames {
		if name == string(b) {
			*l = Level(i)
			return nil
		}
	}
	return fmt.Errorf("no level %q; the levels are %v", b, levelNames)
}
