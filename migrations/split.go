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
	Stage   Stage
	Buckets int // 0 to [Buckets]
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

// With returns s after the named shares have been set. What is left over
// stays at the stage it had, as far as that stage is not named; the rest goes
// to the most advanced stage of s that is not named, or to [Off].
func (s Split) With(named ...Share) (Split, error) {
	want, err := NewSplit(named...) // checks the shares
	if err != nil {
		return nil, err
	}
	isNamed := func(st Stage) bool {
		return slices.ContainsFunc(named, func(n Share) bool { return n.Stage == st })
	}
	left := Buckets
	for _, n := range named {
		left -= n.Buckets
	}
	var rest Split // the shares of s that are not named, most advanced first
	had := 0
	for _, share := range s.full() {
		if !isNamed(share.Stage) && share.Buckets > 0 {
			rest = append(rest, share)
			had += share.Buckets
		}
	}
	switch {
	case len(rest) == 0 && isNamed(Off) && left > 0:
		return nil, fmt.Errorf("the shares add up to %s; say where the other %s goes", Percent(Buckets-left), Percent(left))
	case len(rest) == 0:
		return want, nil
	case left >= had:
		rest[0].Buckets += left - had
	default:
		// Named stages more advanced than the rest grow from the front, the others from the back.
		front := -s.above(rest[0].Stage)
		for _, n := range named {
			if n.Stage.Rank() > rest[0].Stage.Rank() {
				front += n.Buckets
			}
		}
		excess := had - left
		take(rest, min(excess, max(front, 0)))
		slices.Reverse(rest)
		take(rest, excess-min(excess, max(front, 0)))
	}
	return NewSplit(append(slices.Clone(named), rest...)...)
}

func (s Split) full() Split {
	if len(s) == 0 {
		return All(Off)
	}
	return s
}

func (s Split) above(stage Stage) (sum int) {
	for _, share := range s {
		if share.Stage.Rank() > stage.Rank() {
			sum += share.Buckets
		}
	}
	return sum
}

func take(shares Split, n int) {
	for i := range shares {
		t := min(n, shares[i].Buckets)
		shares[i].Buckets -= t
		n -= t
	}
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
