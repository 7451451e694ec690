package shadow

import (
	"hash/maphash"
	"math"
	"strings"
	"sync/atomic"
	"time"
)

// A sampler chooses the requests that are observed: a share of the targeting
// keys, so that a person is observed always or never, and on top of that each
// endpoint now and then, so that rare ones are seen.
type sampler struct {
	bound atomic.Uint64            // key hashes below it are observed
	floor atomic.Bool              // rare endpoints are observed as well
	seen  [floorSlots]atomic.Int64 // by endpoint: when one was last observed, Unix nanoseconds
}

const (
	// floorSlots bounds the memory of the floor; endpoints that meet in a slot share it.
	floorSlots = 4096
	// floorEvery is how long an endpoint goes unobserved at most, if it is asked at all.
	floorEvery = 5 * time.Second
)

func (s *sampler) set(share float64) {
	s.floor.Store(share > 0)
	if share >= 1 {
		s.bound.Store(math.MaxUint64)
		return
	}
	s.bound.Store(uint64(max(share, 0) * math.MaxUint64))
}

// samples decides about one request. Key is a hash of the targeting key, or
// anything random without one.
func (s *sampler) samples(key uint64, method, path string, now time.Time) bool {
	if !s.floor.Load() {
		return false
	}
	// The hash is spread once more: its high bits may have chosen the bucket.
	if bound := s.bound.Load(); bound == math.MaxUint64 || mix(key) < bound {
		return true
	}
	slot := &s.seen[shape(method, path)%floorSlots]
	last := slot.Load()
	return now.UnixNano()-last > int64(floorEvery) && slot.CompareAndSwap(last, now.UnixNano())
}

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// shape hashes method and path with segments that look like ids left out, so
// that /orders/1 and /orders/2 are the same without anything being learned.
func shape(method, path string) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	h.WriteString(method)
	for segment := range strings.SplitSeq(path, "/") {
		h.WriteByte('/')
		if !strings.ContainsAny(segment, "0123456789") && len(segment) < 40 {
			h.WriteString(segment)
		}
	}
	return h.Sum64()
}
