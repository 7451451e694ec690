package flags

import (
	"github.com/ficus-gateway/ficus/flags/internal/murmur3"
	"github.com/ficus-gateway/ficus/migrations"
)

// keyless is the bucket of a request without a targeting key.
const keyless = -1

// bucket places a targeting key among the [migrations.Buckets] of a flag, as
// flagd's fractional operation does: MurmurHash3 (x86, 32 bits, seed 0) of the
// flag key followed by the targeting key, scaled without a modulo.
func bucket(flag, key string) int {
	return scale(murmur3.Sum32Joined(flag, key))
}

// scale maps a hash to a bucket, 0 to [migrations.Buckets]-1.
func scale(hash uint32) int {
	return int(uint64(hash) * migrations.Buckets >> 32)
}
