package evidence

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// A Series is requests and failures by slots of time, ascending; slots in
// which nothing happened are left out.
type Series []Slot

// A Slot is one slot of a [Series]. In JSON it is [at, requests, bad].
type Slot struct {
	At       int64 // number of the slot since 1970
	Requests uint64
	Bad      uint64
}

func slotOf(at time.Time, width time.Duration) int64 {
	return at.UnixMilli() / width.Milliseconds()
}

// add counts in a slot and forgets all but the newest keep.
func (s *Series) add(at int64, requests, bad uint64, keep int64) {
	if requests == 0 && bad == 0 {
		return
	}
	i, ok := slices.BinarySearchFunc(*s, at, func(x Slot, t int64) int { return cmp.Compare(x.At, t) })
	if !ok {
		*s = slices.Insert(*s, i, Slot{At: at})
	}
	(*s)[i].Requests += requests
	(*s)[i].Bad += bad
	if !ok {
		*s = s.trimmed(keep)
	}
}

// trimmed drops slots that are keep or more older than the newest.
func (s Series) trimmed(keep int64) Series {
	if len(s) == 0 {
		return s
	}
	oldest := s[len(s)-1].At - keep
	return slices.DeleteFunc(s, func(x Slot) bool { return x.At <= oldest })
}

// merged returns the sum of both.
func (s Series) merged(o Series, keep int64) Series {
	all := slices.Concat(s, o)
	slices.SortFunc(all, func(a, b Slot) int { return cmp.Compare(a.At, b.At) })
	var out Series
	for _, x := range all {
		if n := len(out); n > 0 && out[n-1].At == x.At {
			out[n-1].Requests += x.Requests
			out[n-1].Bad += x.Bad
		} else {
			out = append(out, x)
		}
	}
	return out.trimmed(keep)
}

// sum adds up the slots after one and up to another.
func (s Series) sum(after, to int64) (requests, bad uint64) {
	for _, x := range s {
		if x.At > after && x.At <= to {
			requests += x.Requests
			bad += x.Bad
		}
	}
	return requests, bad
}

// MarshalJSON writes [at, requests, bad].
func (s Slot) MarshalJSON() ([]byte, error) {
	return json.Marshal([3]uint64{uint64(s.At), s.Requests, s.Bad})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Slot) UnmarshalJSON(text []byte) error {
	var f []uint64
	if err := json.Unmarshal(text, &f); err != nil {
		return err
	}
	if len(f) != 3 || f[0] >= lastSlot {
		return errors.New("a slot is [at, requests, bad]")
	}
	*s = Slot{int64(f[0]), f[1], f[2]}
	return nil
}

// UnmarshalJSON reads slots in ascending order.
func (s *Series) UnmarshalJSON(text []byte) error {
	var slots []Slot
	if err := json.Unmarshal(text, &slots); err != nil {
		return err
	}
	for i := 1; i < len(slots); i++ {
		if slots[i].At <= slots[i-1].At {
			return errors.New("the slots of a series ascend")
		}
	}
	*s = slots
	return nil
}
