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

// A Slot is one slot of a [Series]. In JSON it is [at, requests, bad], and, if
// it is known from which groups of client networks the bad ones came, the number
// of each group from 0, without zeros at the end.
type Slot struct {
	At       int64 // number of the slot since 1970
	Requests uint64
	Bad      uint64
	From     *ByGroup // of Bad; nil: none, or not known. Never changed once others may see it
}

// plus returns the sum of two slots of one time.
func (s Slot) plus(o Slot) Slot {
	s.Requests += o.Requests
	s.Bad += o.Bad
	if o.From != nil {
		from := *o.From
		if s.From != nil {
			from = from.plus(*s.From)
		}
		s.From = &from
	}
	return s
}

func slotOf(at time.Time, width time.Duration) int64 {
	return at.UnixMilli() / width.Milliseconds()
}

// add counts in a slot and forgets all but the newest keep.
func (s *Series) add(n Slot, keep int64) {
	if n.Requests == 0 && n.Bad == 0 {
		return
	}
	at := n.At
	i, ok := slices.BinarySearchFunc(*s, at, func(x Slot, t int64) int { return cmp.Compare(x.At, t) })
	if !ok {
		*s = slices.Insert(*s, i, Slot{At: at})
	}
	(*s)[i] = (*s)[i].plus(n)
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
			out[n-1] = out[n-1].plus(x)
		} else {
			out = append(out, x)
		}
	}
	return out.trimmed(keep)
}

// sum adds up the slots after one and up to another.
func (s Series) sum(after, to int64) (all Slot) {
	for _, x := range s {
		if x.At > after && x.At <= to {
			all = all.plus(x)
		}
	}
	return all
}

// MarshalJSON writes [at, requests, bad], and the groups.
func (s Slot) MarshalJSON() ([]byte, error) {
	f := append(make([]uint64, 0, 3+Groups), uint64(s.At), s.Requests, s.Bad)
	if s.From != nil && s.From.Sum() > 0 {
		f = append(f, s.From[:]...)
		for f[len(f)-1] == 0 {
			f = f[:len(f)-1]
		}
	}
	return json.Marshal(f)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Slot) UnmarshalJSON(text []byte) error {
	var f []uint64
	if err := json.Unmarshal(text, &f); err != nil {
		return err
	}
	if len(f) < 3 || len(f) > 3+Groups || len(f) > 3 && f[len(f)-1] == 0 || f[0] >= lastSlot {
		return errors.New("a slot is [at, requests, bad], and what each group of networks adds to bad")
	}
	*s = Slot{At: int64(f[0]), Requests: f[1], Bad: f[2]}
	if len(f) > 3 {
		s.From = new(ByGroup)
		copy(s.From[:], f[3:])
	}
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
