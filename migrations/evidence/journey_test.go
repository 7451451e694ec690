package evidence

import (
	"math/rand/v2"
	"testing"
)

// A traveller is one of a crowd in a migration with journeys.
type traveller struct {
	placed Side // by the hash and the present split
	was    Side // by the split before
	until  int  // request of the crowd at which a journey on the former side is over
	noted  bool // in the present epoch
}

// travels runs a crowd through an epoch that has begun with a change of the
// share from before to share, and reports whether equal sides tripped, and
// whether the sample ratio did. The rules are those of flags.Keep: after a flip
// forward those who moved stay on the monolith until their journey is over, and
// do not count; after a shift back safe requests follow the split, unsafe ones
// stay, and do not count, and neither do unsafe ones on the service until the
// journey has been noted in this epoch. Of a hundred requests
// as many as reads are safe.
func travels(rng *rand.Rand, size, requests, before, share, reads int, alpha float64) (tripped, ratio bool) {
	people := newCrowd(rng, size, float64(share)/Buckets)
	all := make([]traveller, size)
	for i := range all {
		bucket := rng.IntN(Buckets)
		all[i].until = rng.IntN(2 * requests / 3)
		if bucket < share {
			all[i].placed = Modern
		}
		if bucket < before {
			all[i].was = Modern
		}
	}
	cell := NewCell(1, share)
	for n := range requests {
		who, p := people.next()
		t := &all[who]
		safe, away := rng.IntN(100) < reads, n < t.until && t.was != t.placed
		side, counts := t.placed, true
		switch {
		case away && t.was == Legacy, away && !safe:
			side, counts = t.was, false
		case !safe && side == Modern && n < t.until && !t.noted:
			counts = false
		}
		t.noted = t.noted || safe && side == t.placed
		if safe && side == t.placed {
			t.until = min(t.until, n) // it is noted on this side now
		}
		key := Key(who)
		fresh := !cell.Seen.Has(key)
		if !counts {
			cell.Kept(Vote{Key: key, Epoch: 1, Side: t.placed})
		} else {
			cell.Saw(key, 1, side)
		}
		ratio = ratio || fresh && cell.RatioCheck("", 1, false).Trips()
		if safe || rng.Float64() >= p.bad { // only writes fail, where the rules are hardest
			continue
		}
		if counts && cell.Count(Errors, key, 1, side) {
			tripped = tripped || E(cell.Samples(Guard{Metric: Errors}), Worse(), 0) >= 1/alpha
		}
	}
	return tripped, ratio
}

func TestJourneysTripAtMostAlpha(t *testing.T) {
	const alpha = 0.01
	n, size, requests := runs(300, 10_000), runs(300, 600), runs(1500, 3000)
	for _, flip := range []struct{ before, share, reads int }{{1_000, 5_000, 70}, {5_000, 50_000, 70}, {50_000, 10_000, 70}, {90_000, 10_000, 2}} {
		rng := rand.New(rand.NewPCG(5, uint64(flip.share)))
		trips, broken := 0, 0
		for range n {
			tripped, ratio := travels(rng, size, requests, flip.before, flip.share, flip.reads, alpha)
			trips, broken = trips+count(tripped), broken+count(ratio)
		}
		t.Logf("from %d to %d", flip.before, flip.share)
		atMostAlpha(t, trips, n, alpha)
		atMostAlpha(t, broken, n, RatioAlpha)
	}
}
