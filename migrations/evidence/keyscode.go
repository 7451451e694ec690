package evidence

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// The text of a [Keys] whose networks are not known is the base64 of its
// groups, by epoch and, within an epoch, legacy first. A group is, in unsigned
// varints, epoch·2+side, the number of its keys, and the keys in ascending
// order, each as the distance from the one before; numbers of groups are not
// needed, since the text ends.
//
// With networks it is an object: the networks in ascending order, each with the
// time of its first key, and the groups, in which each key is followed by the
// position of its network.
type keysText struct {
	Networks []networkText `json:"networks"`
	Keys     []byte        `json:"keys"`
}

// A networkText is a network and the time of its first key, in Unix
// milliseconds.
type networkText [2]int64

// MarshalJSON writes the set compactly: about ten bytes for each key. Equal
// sets have equal texts.
func (k Keys) MarshalJSON() ([]byte, error) {
	names := make([]Network, 0, len(k.networks))
	for n := range k.networks {
		names = append(names, n)
	}
	slices.Sort(names)
	known := len(names) > 1 || len(names) == 1 && names[0] != 0
	b := k.groups(func(b []byte, p place) []byte {
		if !known {
			return b
		}
		i, _ := slices.BinarySearch(names, p.network)
		return binary.AppendUvarint(b, uint64(i))
	})
	if !known {
		return json.Marshal(b)
	}
	text := keysText{Keys: b}
	for _, n := range names {
		text.Networks = append(text.Networks, networkText{int64(n), k.networks[n].first})
	}
	return json.Marshal(text)
}

// groups writes the groups, with what network adds for each key.
func (k Keys) groups(network func([]byte, place) []byte) []byte {
	type group struct {
		epoch uint64
		side  Side
	}
	groups := make(map[group][]Key)
	for key, p := range k.places {
		g := group{p.epoch, p.side}
		groups[g] = append(groups[g], key)
	}
	b := []byte{}
	for _, c := range k.counts {
		for _, side := range []Side{Legacy, Modern} {
			keys := groups[group{c.epoch, side}]
			if len(keys) == 0 {
				continue
			}
			slices.Sort(keys)
			b = binary.AppendUvarint(b, c.epoch<<1|uint64(side))
			b = binary.AppendUvarint(b, uint64(len(keys)))
			last := Key(0)
			for _, key := range keys {
				b = network(binary.AppendUvarint(b, uint64(key-last)), k.places[key])
				last = key
			}
		}
	}
	return b
}

var errKeys = errors.New("the set of keys is malformed")

// UnmarshalJSON reads what MarshalJSON writes, and nothing else.
func (k *Keys) UnmarshalJSON(text []byte) error {
	var read keysText
	var err error
	known := bytes.HasPrefix(text, []byte("{"))
	if known {
		err = json.Unmarshal(text, &read)
	} else {
		err = json.Unmarshal(text, &read.Keys)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errKeys, err)
	}
	for i, n := range read.Networks {
		if n[0] < 0 || n[0] > 1<<32-1 || n[1] < 0 || i > 0 && n[0] <= read.Networks[i-1][0] {
			return errKeys
		}
	}
	var out Keys
	if !out.read(read.Keys, read.Networks, known) {
		return errKeys
	}
	for _, n := range read.Networks {
		out.network(Network(n[0])).first = n[1]
	}
	if known && len(read.Networks) == 1 && read.Networks[0][0] == 0 || known && len(read.Networks) == 0 {
		return errKeys
	}
	*k = out
	return nil
}

// read reads groups, and reports whether they are well-formed.
func (k *Keys) read(b []byte, networks []networkText, known bool) bool {
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
			return false
		}
		at = group
		last := Key(0)
		for i := range n {
			distance, ok := next()
			key := last + Key(distance)
			if !ok || i > 0 && key <= last || k.Has(key) {
				return false
			}
			p := place{epoch: group >> 1, side: Side(group & 1)}
			if known {
				i, ok := next()
				if !ok || i >= uint64(len(networks)) {
					return false
				}
				p.network = Network(networks[i][0])
			}
			k.put(key, p)
			last = key
		}
	}
	return true
}
