package migrations

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Buckets is the number of buckets that a split shares out; one bucket is
// 0.001 % of the targeting keys.
const Buckets = 100_000

// A Share gives a stage to a number of buckets.
type Share struct {
	Stage   Stage `json:"stage"`
	Buckets int   `json:"buckets"` // 0 to [Buckets]
}

// A Split shares the buckets out over the stages, most advanced stage first
// and each at most once, so that raising the share of a stage never moves
// anyone back. Its shares add up to [Buckets]. The nil Split stands for all
// buckets at [Off].
type Split []Share

// All returns the split that gives every bucket to one stage.
func All(s Stage) Split { return Split{{s, Buckets}} }

// NewSplit orders shares, drops empty ones and gives what is left over to
// [Off]. It refuses unknown or repeated stages and sums above [Buckets].
func NewSplit(shares ...Share) (Split, error) {
	var out Split
	sum := 0
	for _, s := range shares {
		if !s.Stage.Valid() {
			return nil, fmt.Errorf("no stage %q; the stages are %s", s.Stage, stageList())
		}
		if s.Buckets < 0 || s.Buckets > Buckets {
			return nil, fmt.Errorf("%s: a share lies between 0%% and 100%%", s.Stage)
		}
		if slices.ContainsFunc(out, func(o Share) bool { return o.Stage == s.Stage }) {
			return nil, fmt.Errorf("%s is given twice", s.Stage)
		}
		sum += s.Buckets
		out = append(out, s)
	}
	if sum > Buckets {
		return nil, fmt.Errorf("the shares add up to %s, more than 100%%", Percent(sum))
	}
	if rest := Buckets - sum; rest > 0 {
		if i := slices.IndexFunc(out, func(s Share) bool { return s.Stage == Off }); i >= 0 {
			out[i].Buckets += rest
		} else {
			out = append(out, Share{Off, rest})
		}
	}
	out = slices.DeleteFunc(out, func(s Share) bool { return s.Buckets == 0 })
	slices.SortFunc(out, func(a, b Share) int { return b.Stage.Rank() - a.Stage.Rank() })
	return out, nil
}

// At returns the stage of a bucket, 0 to [Buckets]-1. A bucket outside that
// range is at [Off].
func (s Split) At(bucket int) Stage {
	if bucket < 0 {
		return Off
	}
	for _, share := range s {
		if bucket < share.Buckets {
			return share.Stage
		}
		bucket -= share.Buckets
	}
	return Off
}

// Share returns the number of buckets at a stage.
func (s Split) Share(stage Stage) int {
	if len(s) == 0 && stage == Off {
		return Buckets
	}
	for _, share := range s {
		if share.Stage == stage {
			return share.Buckets
		}
	}
	return 0
}

// Modern returns the number of buckets whose safe requests the service answers.
func (s Split) Modern() int {
	return s.Share(Live) + s.Share(RampDown) + s.Share(Complete)
}

// Control reports whether enough people stay on the monolith for the service
// to be held against them: none needs to while nobody is on the service.
func (s Split) Control() bool { return s.Modern() <= MaxLive }

// Equal reports whether two splits give every bucket the same stage.
func (s Split) Equal(o Split) bool {
	for _, stage := range Stages {
		if s.Share(stage) != o.Share(stage) {
			return false
		}
	}
	return true
}

// Beyond reports whether s is further advanced than o for any bucket.
func (s Split) Beyond(o Split) bool {
	sum, osum := 0, 0
	for i := len(Stages) - 1; i > 0; i-- {
		sum += s.Share(Stages[i])
		osum += o.Share(Stages[i])
		if sum > osum {
			return true
		}
	}
	return false
}

// With returns s after the named shares have been set. What a named stage
// gains is taken from the nearest stage below it that is not named, and only
// when those are used up from the nearest above; what it gives up goes to the
// next stage of s below it that is not named, or to [Off]. So raising a share
// moves nobody back, and lowering one moves nobody forward, as long as there
// is a stage below to take from or give to.
func (s Split) With(named ...Share) (Split, error) {
	if _, err := NewSplit(named...); err != nil { // checks the shares
		return nil, err
	}
	const stages = 6
	var buckets, gain [stages]int // by rank
	var fixed [stages]bool        // the named ones
	for rank, stage := range Stages {
		buckets[rank] = s.Share(stage)
	}
	for _, n := range named {
		rank := n.Stage.Rank()
		gain[rank], buckets[rank], fixed[rank] = n.Buckets-buckets[rank], n.Buckets, true
	}
	homeless := 0
	for rank := range stages {
		if gain[rank] >= 0 {
			continue
		}
		if heir := s.heir(rank, fixed[:]); heir >= 0 {
			buckets[heir] -= gain[rank]
		} else {
			homeless -= gain[rank]
		}
	}
	for rank := range stages {
		if gain[rank] <= 0 {
			continue
		}
		need := gain[rank]
		took := min(need, homeless)
		homeless, need = homeless-took, need-took
		for _, from := range nearest(rank) {
			if !fixed[from] {
				took := min(need, buckets[from])
				buckets[from], need = buckets[from]-took, need-took
			}
		}
	}
	if homeless > 0 {
		return nil, fmt.Errorf("the shares add up to %s; say where the other %s goes", Percent(Buckets-homeless), Percent(homeless))
	}
	shares := make([]Share, 0, stages)
	for rank, n := range buckets {
		shares = append(shares, Share{Stages[rank], n})
	}
	return NewSplit(shares...)
}

// heir returns the rank of the stage that gets what the stage at rank gives
// up, -1 if there is none.
func (s Split) heir(rank int, fixed []bool) int {
	for _, to := range nearest(rank) {
		if !fixed[to] && (s.Share(Stages[to]) > 0 || to == 0) {
			return to
		}
	}
	return -1
}

// nearest lists the other ranks: those below, nearest first, then those above.
func nearest(rank int) []int {
	var ranks []int
	for r := rank - 1; r >= 0; r-- {
		ranks = append(ranks, r)
	}
	for r := rank + 1; r < len(Stages); r++ {
		ranks = append(ranks, r)
	}
	return ranks
}

func (s Split) full() Split {
	if len(s) == 0 {
		return All(Off)
	}
	return s
}

// String writes the split as [ParseShares] reads it: "live=5% shadow=95%".
func (s Split) String() string {
	var b strings.Builder
	for i, share := range s.full() {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%s=%s", share.Stage, Percent(share.Buckets))
	}
	return b.String()
}

// ParseShares reads shares such as "live=5%", one per argument. A stage
// without a share means 100 %.
func ParseShares(args ...string) ([]Share, error) {
	var shares []Share
	for _, arg := range args {
		name, text, ok := strings.Cut(arg, "=")
		stage, err := ParseStage(name)
		if err != nil {
			return nil, err
		}
		share := Share{stage, Buckets}
		if ok {
			if share.Buckets, err = ParsePercent(text); err != nil {
				return nil, fmt.Errorf("%s: %w", stage, err)
			}
		}
		shares = append(shares, share)
	}
	return shares, nil
}

// Percent writes a number of buckets as a percentage: Percent(5000) is "5%".
func Percent(buckets int) string {
	return strconv.FormatFloat(float64(buckets)/(Buckets/100), 'f', -1, 64) + "%"
}

// ParsePercent reads "5%" or "0.001%" as a number of buckets, 0 to [Buckets].
// It refuses what is finer than one bucket.
func ParsePercent(text string) (int, error) {
	number, ok := strings.CutSuffix(strings.TrimSpace(text), "%")
	if !ok {
		return 0, fmt.Errorf("%q is not a percentage; write it as 5%%", text)
	}
	whole, frac, _ := strings.Cut(strings.TrimSpace(number), ".")
	if frac = strings.TrimRight(frac, "0"); len(frac) > 3 {
		return 0, fmt.Errorf("%q is finer than 0.001%%", text)
	}
	digits := whole + frac + "000"[len(frac):]
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || whole == "" {
		return 0, fmt.Errorf("%q is not a percentage; write it as 5%%", text)
	}
	if n > Buckets {
		return 0, fmt.Errorf("%q is more than 100%%", text)
	}
	return int(n), nil
}
