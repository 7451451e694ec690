package compare

import (
	"math"
	"time"
)

// A Severity orders kinds of difference by what they do to a client.
type Severity int

// The severities. Each weighs three times the one before.
const (
	Low      Severity = iota // order, a header, how something is written
	Medium                   // another value
	High                     // missing, another type, null
	Critical                 // no answer, another status, an unreadable body
)

func (s Severity) String() string { return [...]string{"low", "medium", "high", "critical"}[s] }

// severity of one sign.
func (s Sign) severity() Severity {
	switch s.Kind {
	case KindFailed, KindTimeout, KindStatus, KindFormat, KindSyntax, KindEncoding:
		return Critical
	case KindMissing, KindType, KindNull, KindCharset, KindUTF8:
		if s.Path[0] == 'h' { // header.
			return Medium
		}
		return High
	case KindOrder, KindExtra, KindDuplicate:
		return Low
	}
	if s.Path[0] == 'h' && s.Path != "header.Location" {
		return Low
	}
	return Medium
}

// Severity of a finding is that of its worst sign.
func (f *Finding) Severity() Severity {
	worst := Low
	for _, s := range f.Signs {
		worst = max(worst, s.severity())
	}
	return worst
}

// Rank orders findings: severity × breadth × novelty. Breadth is the share of
// observations, on a scale on which one in a thousand still counts a quarter
// of all; novelty halves with each day since the finding was new, or came
// back, down to a quarter.
func (f *Finding) Rank(now time.Time) float64 {
	severity := math.Pow(3, float64(f.Severity()))
	breadth := 1 / (1 + math.Log10(1/max(f.Share(), 1e-6)))
	since := f.First
	if f.RegressedAt.After(since) {
		since = f.RegressedAt
	}
	days := max(0, now.Sub(since).Hours()/24)
	return severity * breadth * max(0.25, math.Exp2(-days))
}
