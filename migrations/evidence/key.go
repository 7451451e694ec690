package evidence

// A Key is the hash of a targeting key. Evidence never holds the key itself.
type Key uint64

// KeyOf returns the hash of a targeting key that a trusted party vouches for.
func KeyOf(targetingKey string) Key {
	return Key(mix(fnv(offset, targetingKey)))
}

// UnverifiedKey returns the hash of a targeting key that only the client
// vouches for, together with the network prefix that the client is in: one
// client that makes keys up counts once per key and prefix (law 11).
func UnverifiedKey(targetingKey, prefix string) Key {
	h := fnv(offset, targetingKey)
	h = (h ^ 0xff) * prime // a byte that UTF-8 does not have, so that the two can't run together
	return Key(mix(fnv(h, prefix)))
}

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
