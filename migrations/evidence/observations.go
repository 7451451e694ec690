package evidence

// Observations are comparisons by their outcome (law 8: they add up).
type Observations struct {
	Sampled     uint64 `json:"sampled"` // every one that was begun
	Match       uint64 `json:"match,omitempty"`
	Mismatch    uint64 `json:"mismatch,omitempty"`
	Failed      uint64 `json:"failed,omitempty"`    // the candidate failed
	TimedOut    uint64 `json:"timed_out,omitempty"` // the candidate's time was up
	Truncated   uint64 `json:"truncated,omitempty"` // too large to compare
	Undecodable uint64 `json:"undecodable,omitempty"`
	Dropped     uint64 `json:"dropped,omitempty"` // no room
}

// AddUp reports whether the outcomes sum to what was sampled.
func (o Observations) AddUp() bool {
	return o.Match+o.Mismatch+o.Failed+o.TimedOut+o.Truncated+o.Undecodable+o.Dropped == o.Sampled
}

// Compared returns the number that a mismatch rate is out of: those sampled
// and not dropped.
func (o Observations) Compared() uint64 {
	if o.Dropped > o.Sampled {
		return 0
	}
	return o.Sampled - o.Dropped
}

// Rate returns (mismatch + failed + timed out) / (sampled − dropped), 0
// without observations. A candidate that fails is as wrong as one that differs.
func (o Observations) Rate() float64 {
	if o.Compared() == 0 {
		return 0
	}
	return float64(o.Mismatch+o.Failed+o.TimedOut) / float64(o.Compared())
}

func (o Observations) plus(p Observations) Observations {
	return Observations{
		o.Sampled + p.Sampled, o.Match + p.Match, o.Mismatch + p.Mismatch, o.Failed + p.Failed,
		o.TimedOut + p.TimedOut, o.Truncated + p.Truncated, o.Undecodable + p.Undecodable, o.Dropped + p.Dropped,
	}
}
