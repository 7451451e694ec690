// Package murmur3 hashes as flagd and its providers do, so that a targeting
// key has the same bucket everywhere.
package murmur3

import "math/bits"

// Sum32 is MurmurHash3_x86_32 with seed 0 (Austin Appleby, public domain).
func Sum32(data []byte) uint32 {
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

// Sum32Joined is [Sum32] of two texts written one after the other.
func Sum32Joined(a, b string) uint32 {
	var space [256]byte // enough for a bounded key and a usual flag, so nothing is allocated
	return Sum32(append(append(space[:0], a...), b...))
}
