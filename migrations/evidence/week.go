package evidence

import (
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"math/bits"
	"slices"
	"time"
)

// A Week is how many people came in the last week, and how often, by sketches
// that unite across gateways: by the hour for a day, by the day for a week. It
// is for outlooks, never for a decision. The zero value is empty and ready.
type Week struct {
	Hours Crowds `json:"hours,omitempty"`
	Days  Crowds `json:"days,omitempty"`
}

// Crowds are the people of slots of time, ascending.
type Crowds []Crowd

// A Crowd is the people of one slot of time.
type Crowd struct {
	At       int64     `json:"at"`       // number of the slot since 1970
	Requests uint64    `json:"requests"` // of people with a key
	People   Registers `json:"people"`
}

// Registers are a HyperLogLog of keys (Flajolet, Fusy, Gandouet and Meunier,
// AofA 2007): 256 of them tell numbers within 6.5 %.
type Registers [256]uint8

const (
	hoursKept = 24 + 1 // a day, and the hour under way
	daysKept  = 7 + 1
	day       = 24 * time.Hour
)

// Add counts a request of a key. Zero is no key.
func (w *Week) Add(at time.Time, key Key) {
	if key == 0 {
		return
	}
	w.Hours.add(slotOf(at, time.Hour), key, hoursKept)
	w.Days.add(slotOf(at, day), key, daysKept)
}

// Merge adds what another gateway saw.
func (w *Week) Merge(o Week) {
	w.Hours = w.Hours.merged(o.Hours, hoursKept)
	w.Days = w.Days.merged(o.Days, daysKept)
}

// Traffic returns what is usual by the week before a time, and whether enough
// is known: a whole hour at least, beside the first, of which only a part may
// have been seen. burn tells what share of the monolith's requests is bad.
func (w Week) Traffic(burn Burns, now time.Time) (t Traffic, known bool) {
	hour := slotOf(now, time.Hour)
	if len(w.Hours) == 0 {
		return t, false
	}
	first := max(w.Hours[0].At+1, hour-24)
	var people float64
	var requests uint64
	for _, c := range w.Hours {
		if c.At >= first && c.At < hour { // the one under way says too little
			people += c.People.count()
			requests += c.Requests
		}
	}
	if people == 0 {
		return t, false
	}
	t.Hourly = people / float64(hour-first)
	t.PerKey = float64(requests) / people
	if hour-first >= 23 { // less says nothing of a week
		var all Registers
		for _, c := range w.Days {
			if c.At > slotOf(now, day)-daysKept {
				all.unite(c.People)
			}
		}
		t.Weekly = max(all.count(), t.Hourly)
	}
	var bad uint64
	requests = 0
	for _, s := range burn[Legacy].Quarters {
		requests, bad = requests+s.Requests, bad+s.Bad
	}
	if requests > 0 {
		t.Bad = float64(bad) / float64(requests)
	}
	return t, true
}

func (c *Crowds) add(at int64, key Key, keep int64) {
	i, ok := slices.BinarySearchFunc(*c, at, func(x Crowd, t int64) int { return cmp.Compare(x.At, t) })
	if !ok {
		*c = slices.Insert(*c, i, Crowd{At: at})
	}
	(*c)[i].Requests++
	(*c)[i].People.add(key)
	if !ok {
		*c = c.trimmed(keep)
	}
}

// trimmed drops slots that are keep or more older than the newest.
func (c Crowds) trimmed(keep int64) Crowds {
	if len(c) == 0 {
		return c
	}
	oldest := c[len(c)-1].At - keep
	return slices.DeleteFunc(c, func(x Crowd) bool { return x.At <= oldest })
}

// merged returns both together; it changes neither.
func (c Crowds) merged(o Crowds, keep int64) Crowds {
	all := slices.Concat(c, o)
	slices.SortStableFunc(all, func(a, b Crowd) int { return cmp.Compare(a.At, b.At) })
	var out Crowds
	for _, x := range all {
		if n := len(out); n > 0 && out[n-1].At == x.At {
			out[n-1].Requests += x.Requests
			out[n-1].People.unite(x.People)
		} else {
			out = append(out, x)
		}
	}
	return out.trimmed(keep)
}

func (r *Registers) add(key Key) {
	h := mix(uint64(key))
	rank := uint8(bits.LeadingZeros64(h|0xff)) + 1 // of the bits that do not choose the register
	if i := h & 0xff; r[i] < rank {
		r[i] = rank
	}
}

func (r *Registers) unite(o Registers) {
	for i := range r {
		r[i] = max(r[i], o[i])
	}
}

// count estimates the number of keys.
func (r *Registers) count() float64 {
	const m = 256.0
	sum, empty := 0.0, 0
	for _, rank := range r {
		sum += math.Ldexp(1, -int(rank))
		if rank == 0 {
			empty++
		}
	}
	e := 0.7213 / (1 + 1.079/m) * m * m / sum
	if e <= 2.5*m && empty > 0 { // linear counting is better there
		return m * math.Log(m/float64(empty))
	}
	return e
}

// MarshalJSON writes the registers as base64 of one byte each.
func (r Registers) MarshalJSON() ([]byte, error) { return json.Marshal(r[:]) }

var errRegisters = errors.New("the registers are malformed")

// UnmarshalJSON reads what MarshalJSON writes.
func (r *Registers) UnmarshalJSON(text []byte) error {
	var b []byte
	if err := json.Unmarshal(text, &b); err != nil {
		return err
	}
	if len(b) != len(r) || slices.Max(b) > 57 {
		return errRegisters
	}
	*r = Registers(b)
	return nil
}

// UnmarshalJSON reads slots in ascending order.
func (c *Crowds) UnmarshalJSON(text []byte) error {
	var all []Crowd
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	for i, x := range all {
		if x.At < 0 || x.At >= lastSlot || i > 0 && x.At <= all[i-1].At {
			return errors.New("the slots of a week ascend")
		}
	}
	*c = all
	return nil
}
