package evidence

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// The text of a [Keys] is the base64 of its groups, by epoch and, within an
// epoch, legacy first. A group is, in unsigned varints, epoch·2+side, the
// number of its keys, and the keys in ascending order, each as the distance
// from the one before; numbers of groups are not needed, since the text ends.

// MarshalJSON writes the set compactly: about ten bytes for each key. Equal
// sets have equal texts.
func (k Keys) MarshalJSON() ([]byte, error) {
	groups := make(map[place][]Key)
	for key, p := range k.places {
		groups[p] = append(groups[p], key)
	}
	var b []byte
	for _, c := range k.counts {
		for _, side := range []Side{Legacy, Modern} {
			keys := groups[place{c.epoch, side}]
			if len(keys) == 0 {
				continue
			}
			slices.Sort(keys)
			b = binary.AppendUvarint(b, c.epoch<<1|uint64(side))
			b = binary.AppendUvarint(b, uint64(len(keys)))
			last := Key(0)
			for _, key := range keys {
				b = binary.AppendUvarint(b, uint64(key-last))
				last = key
			}
		}
	}
	return json.Marshal(b)
}

var errKeys = errors.New("the set of keys is malformed")

// UnmarshalJSON reads what MarshalJSON writes, and nothing else.
func (k *Keys) UnmarshalJSON(text []byte) error {
	var b []byte
	if err := json.Unmarshal(text, &b); err != nil {
		return fmt.Errorf("%w: %w", errKeys, err)
	}
	var out Keys
	next := func() (uint64, bool) {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return 0, false
		}
		b = b[n:]
		return v, true
	}
	for at, first := uint64(0), true; len(b) > 0; first = false {
		group, ok1 := next()
		n, ok2 := next()
		if !ok1 || !ok2 || n == 0 || !first && group <= at {
			return errKeys
		}
		at = group
		last := Key(0)
		for i := range n {
			distance, ok := next()
			key := last + Key(distance)
			if !ok || i > 0 && key <= last || out.Has(key) {
				return errKeys
			}
			out.put(key, place{group >> 1, Side(group & 1)})
			last = key
		}
	}
	*k = out
	return nil
}
