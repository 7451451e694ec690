package compare

import (
	"math"
	"math/bits"
)

// Stake is the λ of the paired test: the share of the capital that is bet on
// the candidate being worse, each time that only one of a pair differs.
const Stake = 0.9

// stakes are what a path's evidence is averaged over, so that a path that is
// noisy on both sides is tested as well, if more slowly.
var stakes = [...]float64{Stake, 0.5, 0.2}

// A Bet counts pairs that disagree in only one way. If the candidate behaves
// like another control, each is a fair coin; counts of several gateways add
// up.
type Bet struct {
	Worse  uint32 `json:"worse"`  // the candidate differs where the control agrees with itself
	Better uint32 `json:"better"` // the other way round
}

// Add counts a pair: above 0 for worse, below for better.
func (b *Bet) Add(sign int) {
	switch {
	case sign > 0:
		b.Worse++
	case sign < 0:
		b.Better++
	}
}

// Log returns ln E for E = Π(1 + λ·s) over all pairs. By Ville's inequality
// the chance that E ever reaches 1/α, if the candidate is no worse, is at most
// α.
func (b Bet) Log(stake float64) float64 {
	return float64(b.Worse)*math.Log1p(stake) + float64(b.Better)*math.Log1p(-stake)
}

// logMean is the logarithm of the mean of numbers given by their logarithms.
func logMean(logs []float64) float64 {
	top := math.Inf(-1)
	for _, l := range logs {
		top = max(top, l)
	}
	sum := 0.0
	for _, l := range logs {
		sum += math.Exp(l - top)
	}
	return top + math.Log(sum/float64(len(logs)))
}

// logWeight is the logarithm of the share of α that the n-th test of the path
// registered as the rank-th gets, both from 1. The weights of all ranks and
// tests, however many, add up to less than 1: batch b of 2^b ranks shares
// 6/(π²(b+1)²), and of that the n-th test gets 6/(π²n²).
func logWeight(rank, n int) float64 {
	batch := bits.Len(uint(rank)) - 1
	basel := math.Log(6 / (math.Pi * math.Pi))
	return 2*basel - 2*math.Log(float64(batch+1)) - float64(batch)*math.Ln2 - 2*math.Log(float64(n))
}
