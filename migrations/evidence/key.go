package evidence

// A Key is the hash of a targeting key. Evidence never holds the key itself.
type Key uint64

// KeyOf returns the hash of a targeting key that a trusted party vouches for.
func KeyOf(targetingKey string) Key {
	return Key(mix(fnv(offset, targetingKey)))
}

// Within returns the key of somebody whom only the client vouches for, together
// with the network that the client is in, as the 16 bytes of a prefix: one
// client that makes keys up counts once per key and prefix (law 11).
func (k Key) Within(high, low uint64) Key {
	return Key(mix(uint64(k) ^ mix(high^mix(low+golden))))
}

// golden keeps a network of zeros from being none.
const golden = 0x9e3779b97f4a7c15

// FNV-1a, 64 bits (draft-eastlake-fnv).
const (
	offset = 0xcbf29ce484222325
	prime  = 0x100000001b3
)

func fnv(h uint64, text string) uint64 {
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * prime
	}
	return h
}

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
func mix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
