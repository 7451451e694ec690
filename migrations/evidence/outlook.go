package evidence

import (
	"math"
	"time"
)

// Traffic is what a migration's routes usually see, as the last week's keys
// tell it.
type Traffic struct {
	Hourly float64 // distinct keys in an hour
	Weekly float64 // distinct keys in a week; 0: as many new ones every hour
	PerKey float64 // requests of one key during a step; below 1 counts as 1
	Bad    float64 // share of the monolith's requests that are bad, 0 to 1
}

// An Outlook says what a guard can see in a step before it begins: how small a
// worsening, and how soon. It is reckoned for bad luck of about one case in
// twenty (simulated: 3 to 7 in a hundred miss it); it assumes that all keys are
// alike, and with a few busy ones it is too hopeful.
type Outlook struct {
	Traffic Traffic
	Share   int     // buckets of 100,000 on the service
	Margin  float64 // tolerated worsening δ of the rate
	Budget  Budget
	Weight  float64 // of the keys of the whole cell in the evidence, 0 to 1; 0 counts as 1. See [Part]
}

// week bounds how far an outlook looks.
const week = 7 * 24 * time.Hour

// Smallest returns the smallest share of bad requests on the service that is
// seen within the hold of the step, and whether any is: if not, the step is
// blind, even to an outage.
func (o Outlook) Smallest(hold time.Duration) (rate float64, sees bool) {
	if !o.sees(1, hold) {
		return 1, false
	}
	low, high := o.bad(), 1.0
	for range 40 {
		mid := (low + high) / 2
		if o.sees(mid, hold) {
			high = mid
		} else {
			low = mid
		}
	}
	return high, true
}

// Until returns how long it takes to see that a share rate of the service's
// requests is bad, 1 for an outage, and whether it is seen within a week.
func (o Outlook) Until(rate float64) (time.Duration, bool) {
	if !o.sees(rate, week) {
		return 0, false
	}
	low, high := time.Duration(0), week
	for high-low > time.Second {
		mid := low + (high-low)/2
		if o.sees(rate, mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return high, true
}

func (o Outlook) bad() float64 { return unit(o.Traffic.Bad) }

// unlucky is how many standard deviations each side's count is away from its
// mean, both in the service's favour: together a case of one in twenty.
const unlucky = 1.1631 // 1.6449/√2

// sees reports whether the evidence reaches the threshold within a time.
func (o Outlook) sees(rate float64, within time.Duration) bool {
	w, ok := tolerant(float64(o.Share)/Buckets, o.Margin)
	keys := o.keys(within)
	share := float64(o.Share) / Buckets
	if !ok || o.Budget.Level() == 0 || keys*share < FewKeys {
		return false
	}
	service, legacy := keys*share*o.ever(unit(rate)), keys*(1-share)*o.ever(o.bad())
	if sum := service + legacy; sum > Limit { // the test ends when it is full
		service, legacy = service*Limit/sum, legacy*Limit/sum
	}
	service -= unlucky * math.Sqrt(service*(1-o.ever(unit(rate))))
	legacy += unlucky * math.Sqrt(legacy)
	weight := o.Weight
	if !(weight > 0) {
		weight = 1
	}
	return logEvidence(w, max(service, 0), legacy) >= math.Log(o.Budget.Threshold()/weight)
}

// keys returns the distinct keys of a time.
func (o Outlook) keys(within time.Duration) float64 {
	keys := max(o.Traffic.Hourly, 0) * within.Hours()
	if o.Traffic.Weekly > 0 {
		keys = min(keys, o.Traffic.Weekly)
	}
	return keys
}

// ever returns the chance that a key has at least one bad request.
func (o Outlook) ever(rate float64) float64 {
	return 1 - math.Pow(1-rate, max(o.Traffic.PerKey, 1))
}

// logEvidence returns ln E of one epoch for counts that need not be whole.
func logEvidence(w, service, legacy float64) float64 {
	grid := Worse()
	top, logs := math.Inf(-1), make([]float64, 0, len(grid))
	for _, theta := range grid {
		l := math.Inf(-1)
		if theta != Infinity {
			d := math.Log(w*float64(theta) + 1 - w)
			l = service*(math.Log(float64(theta))-d) - legacy*d
		} else if legacy == 0 {
			l = -service * math.Log(w)
		}
		logs = append(logs, l)
		top = max(top, l)
	}
	sum := 0.0
	for _, l := range logs {
		sum += math.Exp(l - top)
	}
	return top + math.Log(sum/float64(len(grid)))
}

func unit(f float64) float64 {
	if !(f > 0) {
		return 0
	}
	return min(f, 1)
}
