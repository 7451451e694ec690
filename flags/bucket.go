package flags

import (
	"math/bits"

	"github.com/ficus-gateway/ficus/migrations"
)

// keyless is the bucket of a request without a targeting key.
const keyless = -1

// bucket places a targeting key among the [migrations.Buckets] of a flag, as
// flagd's fractional operation does: MurmurHash3 (x86, 32 bits, seed 0) of the
// flag key followed by the targeting key, scaled without a modulo.
func bucket(flag, key string) int {
	var space [256]byte // enough for a bounded key and a usual flag, so nothing is allocated
	text := append(append(space[:0], flag...), key...)
	return scale(murmur3(text))
}

// scale maps a hash to a bucket, 0 to [migrations.Buckets]-1.
func scale(hash uint32) int {
	return int(uint64(hash) * migrations.Buckets >> 32)
}

// murmur3 is MurmurHash3_x86_32 with seed 0 (Austin Appleby, public domain).
func murmur3(data []byte) uint32 {
	const c1, c2 = 0xcc9e2d51, 0x1b873593
	var h uint32
	n := uint32(len(data))
	for ; len(data) >= 4; data = data[4:] {
		k := uint32(data[0]) | uint32(data[1])<<8 | uint32(data[2])<<16 | uint32(data[3])<<24
		h ^= bits.RotateLeft32(k*c1, 15) * c2
		h = bits.RotateLeft32(h, 13)*5 + 0xe6546b64
	}
	var k uint32
	for i := len(data) - 1; i >= 0; i-- {
		k = k<<8 | uint32(data[i])
	}
	h ^= bits.RotateLeft32(k*c1, 15) * c2
	h ^= n
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}
