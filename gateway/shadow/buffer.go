package shadow

import (
	"hash/maphash"
	"io"
	"sync"
)

// Cap is how many bytes of one body are kept. Of what is longer, the hash and
// the length are still known.
const Cap = 256 << 10

// sizes are the capacities of buffers, each with a pool of its own.
var sizes = [...]int{4 << 10, 16 << 10, 64 << 10, Cap}

var pools [len(sizes)]sync.Pool

// seed makes hashes comparable within the process, and unpredictable outside.
var seed = maphash.MakeSeed()

// A Buffer keeps a copy of a body as it streams by: the first [Cap] bytes, and
// a hash of all. Its memory comes out of a budget. A Buffer is for one
// goroutine at a time; the zero value is not ready, see [Buffer.Init].
type Buffer struct {
	budget *Budget
	bytes  []byte
	class  int // index of sizes; -1: no memory yet
	length int64
	hash   maphash.Hash
	full   bool // the budget had no room: bytes are missing
}

// Init makes the buffer ready, with room for hint bytes if that is known.
func (b *Buffer) Init(budget *Budget, hint int64) {
	b.budget, b.class = budget, -1
	b.hash.SetSeed(seed)
	if hint > 0 {
		b.grow(int(min(hint, Cap)))
	}
}

// Write copies p. It never fails; see [Buffer.Lost].
func (b *Buffer) Write(p []byte) (int, error) {
	b.length += int64(len(p))
	b.hash.Write(p)
	if room := Cap - len(b.bytes); room > 0 && !b.full {
		part := p[:min(len(p), room)]
		if b.grow(len(b.bytes) + len(part)) {
			b.bytes = append(b.bytes, part...)
		}
	}
	return len(p), nil
}

// chunks are what bodies are read through.
var chunks = sync.Pool{New: func() any { b := make([]byte, 16<<10); return &b }}

// ReadFrom copies what is left of r; without it io.Copy would make a chunk for
// each body.
func (b *Buffer) ReadFrom(r io.Reader) (n int64, err error) {
	chunk := chunks.Get().(*[]byte)
	defer chunks.Put(chunk)
	for {
		m, err := r.Read(*chunk)
		b.Write((*chunk)[:m])
		n += int64(m)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// grow makes room for n bytes in all.
func (b *Buffer) grow(n int) bool {
	if b.class >= 0 && n <= cap(b.bytes) {
		return true
	}
	class := 0
	for sizes[class] < n {
		class++
	}
	if b.full || !b.budget.reserve(int64(sizes[class])) {
		b.full = true
		return false
	}
	var bigger []byte
	if p, ok := pools[class].Get().(*[]byte); ok {
		bigger = (*p)[:0]
	} else {
		bigger = make([]byte, 0, sizes[class])
	}
	bigger = append(bigger, b.bytes...)
	b.giveBack()
	b.bytes, b.class = bigger, class
	return true
}

func (b *Buffer) giveBack() {
	if b.class < 0 {
		return
	}
	old := b.bytes[:0]
	pools[b.class].Put(&old)
	b.budget.release(int64(sizes[b.class]))
	b.bytes, b.class = nil, -1
}

// Free gives the memory back. What Bytes returned must not be used any more.
func (b *Buffer) Free() {
	if b.budget != nil {
		b.giveBack()
		b.full = true
	}
}

// Bytes returns the copy; it is valid until Free.
func (b *Buffer) Bytes() []byte { return b.bytes }

// Len returns the length of the whole body.
func (b *Buffer) Len() int64 { return b.length }

// Sum returns a hash of the whole body, comparable with those of this process.
func (b *Buffer) Sum() uint64 { return b.hash.Sum64() }

// Whole reports whether Bytes is the whole body.
func (b *Buffer) Whole() bool { return !b.full && b.length == int64(len(b.bytes)) }

// Lost reports whether the budget had no room.
func (b *Buffer) Lost() bool { return b.full }
