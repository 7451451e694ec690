package compare

import (
	"hash/maphash"
	"math/bits"
	"slices"
)

// A table holds the values of one body in document order, each with the hash
// of its subtree. It keeps no value but their offsets in body, or in arena for
// formats whose tokens are not there as they are.
type table struct {
	body      []byte // decoded, in UTF-8
	arena     []byte // keys with escapes; all text of markup and forms
	nodes     []node
	converted bool // body was turned into UTF-8 from another charset

	// While the table is built:
	rules   *Rules
	tracked *tracked // the paths that are learned about; nil: none
	present []int32  // ids of those that were met
	frames  []frame
	steps   []step
	keys    []uint64 // hashes of the keys of the open objects, for duplicates
	scratch []byte
	tags    map[uint64]int // markup: how many elements are open, by the hash of their name
}

// A node is a value: a JSON value, an element, an attribute, a text.
type node struct {
	hash uint64 // of the subtree; members in any order, elements in order
	bag  uint64 // of the subtree with the elements of every array in any order
	val  span   // of the value: of a string without its quotes
	key  span   // of its name
	next int32  // index of the node after the subtree
	size int32  // members or elements
	kind nodeKind
	flag nodeFlag
	form stepForm // how it is reached from what holds it
}

type span struct{ off, len int32 }

type nodeKind uint8

const (
	nodeNull nodeKind = iota
	nodeFalse
	nodeTrue
	nodeNumber
	nodeString
	nodeArray
	nodeObject
	nodeElement
)

type nodeFlag uint8

const (
	flagEscaped nodeFlag = 1 << iota // the string has escapes
	flagArena                        // val is in the arena
	flagKey                          // key is in the arena
	flagIgnored                      // by a rule: not part of any hash
	flagDouble                       // an object with a key twice
	flagUTF8                         // a string or a key that is not UTF-8
)

// A frame is a container that is still open.
type frame struct {
	node      int32
	hash, bag uint64 // combined so far
	keys      int32  // length of table.keys when it was opened
	at        *trackedNode
	skipped   bool // below what is ignored
}

var seed = maphash.MakeSeed()

func hashBytes(b []byte) uint64 { return maphash.Bytes(seed, b) }

// mix combines two hashes; the order of the two matters.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0x9e3779b97f4a7c15, b^0xd1b54a32d192ed03)
	return hi ^ lo ^ bits.RotateLeft64(a, 29)
}

func (t *table) reset(body []byte, rules *Rules) {
	t.body, t.rules = body, rules
	t.arena, t.nodes, t.frames, t.steps, t.keys = t.arena[:0], t.nodes[:0], t.frames[:0], t.steps[:0], t.keys[:0]
	t.present = t.present[:0]
	t.tracked, t.converted = nil, false
	clear(t.tags)
}

// release forgets the bodies, and buffers that have grown beyond reason.
func (t *table) release() {
	t.body, t.rules, t.tracked = nil, nil, nil
	if cap(t.nodes) > 1<<14 {
		t.nodes = nil
	}
	if cap(t.arena) > 1<<18 {
		t.arena = nil
	}
	clear(t.frames[:cap(t.frames)])
	clear(t.steps[:cap(t.steps)])
}

func (t *table) key(n *node) []byte {
	if n.flag&flagKey != 0 {
		return t.arena[n.key.off : n.key.off+n.key.len]
	}
	return t.body[n.key.off : n.key.off+n.key.len]
}

// raw is the value as it is written; of a string without its quotes.
func (t *table) raw(n *node) []byte {
	if n.flag&flagArena != 0 {
		return t.arena[n.val.off : n.val.off+n.val.len]
	}
	return t.body[n.val.off : n.val.off+n.val.len]
}

// text is the value of a string without escapes, in buf if it had any.
func (t *table) text(n *node, buf []byte) []byte {
	if n.flag&flagEscaped == 0 {
		return t.raw(n)
	}
	return unescape(buf[:0], t.raw(n))
}

// step describes how node n, the i-th in its container, is reached.
func (t *table) step(n *node, i int32) step {
	if n.form == byIndex {
		return step{index: i}
	}
	return step{name: t.key(n), form: n.form, index: -1, ord: i}
}

// watching says whether anyone cares for paths while the body is read, so that
// the usual case costs nothing.
func (t *table) watching() bool { return len(t.rules.ignore) > 0 || t.tracked != nil }

// open begins a container at node i.
func (t *table) open(i int32) {
	f := frame{node: i, keys: int32(len(t.keys))}
	n := &t.nodes[i]
	f.skipped = n.flag&flagIgnored != 0
	if len(t.frames) > 0 {
		f.skipped = f.skipped || t.frames[len(t.frames)-1].skipped
	}
	f.hash = uint64(n.kind) + 1
	f.bag = f.hash
	if t.watching() {
		if len(t.frames) == 0 {
			if t.tracked != nil {
				f.at = &t.tracked.root
			}
		} else {
			up := &t.frames[len(t.frames)-1]
			s := t.step(n, t.nodes[up.node].size)
			t.steps = append(t.steps, s)
			f.at = up.at.child(&s)
		}
	}
	t.frames = append(t.frames, f)
}

// close ends the innermost container and gives it to the one around it.
func (t *table) close() int32 {
	f := t.frames[len(t.frames)-1]
	t.frames = t.frames[:len(t.frames)-1]
	n := &t.nodes[f.node]
	n.next = int32(len(t.nodes))
	if n.kind == nodeObject && t.doubles(int(f.keys)) {
		n.flag |= flagDouble
		// Which of the two wins depends on their order, so it counts here.
		h := f.hash
		for i := f.node + 1; i < n.next; i = t.nodes[i].next {
			h = mix(h, mix(hashBytes(t.key(&t.nodes[i])), t.nodes[i].hash))
		}
		f.hash, f.bag = h, h
	}
	t.keys = t.keys[:f.keys]
	n.hash, n.bag = mix(f.hash, uint64(n.kind)+11), mix(f.bag, uint64(n.kind)+11)
	if n.kind == nodeElement {
		n.hash, n.bag = mix(n.hash, hashBytes(t.key(n))), mix(n.bag, hashBytes(t.key(n)))
	}
	if len(t.steps) > 0 && len(t.frames) > 0 {
		t.steps = t.steps[:len(t.steps)-1]
	}
	t.give(f.node)
	return f.node
}

// doubles says whether a key hash from index from on is there twice.
func (t *table) doubles(from int) bool {
	keys := t.keys[from:]
	if len(keys) <= 12 {
		for i := range keys {
			for j := i + 1; j < len(keys); j++ {
				if keys[i] == keys[j] {
					return true
				}
			}
		}
		return false
	}
	slices.Sort(keys)
	for i := 1; i < len(keys); i++ {
		if keys[i] == keys[i-1] {
			return true
		}
	}
	return false
}

// give folds the finished node i into the open container.
func (t *table) give(i int32) {
	if len(t.frames) == 0 {
		return
	}
	f := &t.frames[len(t.frames)-1]
	n := &t.nodes[i]
	up := &t.nodes[f.node]
	if n.flag&flagIgnored != 0 {
		up.size++
		return
	}
	switch n.form {
	case byName, byAttribute:
		k := hashBytes(t.key(n))
		if n.form == byName {
			t.keys = append(t.keys, k)
		}
		f.hash += mix(k, n.hash)
		f.bag += mix(k, n.bag)
	default:
		f.hash = mix(f.hash, n.hash)
		f.bag += mix(n.bag, 0x2545f4914f6cdd1d)
	}
	up.size++
}

// meet applies the rules and the tracked paths to node i, which has its key
// and form but not yet its content.
func (t *table) meet(i int32) {
	if !t.watching() || len(t.frames) == 0 {
		return
	}
	f := &t.frames[len(t.frames)-1]
	n := &t.nodes[i]
	if f.skipped {
		return
	}
	s := t.step(n, t.nodes[f.node].size)
	if at := f.at.child(&s); at != nil && at.id >= 0 {
		t.present = append(t.present, at.id)
	}
	if len(t.rules.ignore) > 0 {
		t.steps = append(t.steps, s)
		if anyMatches(t.rules.ignore, "$", t.steps) {
			n.flag |= flagIgnored
		}
		t.steps = t.steps[:len(t.steps)-1]
	}
}
