package compare

// A Drift is what asking both sides again said about a mismatch.
type Drift struct {
	Again Result   // the second answers compared with each other
	Gone  []string // paths of the mismatch that were no difference the second time: races
	Coins []Coin   // for [Noise.Recheck]
}

// Race says whether the whole mismatch went away.
func (d *Drift) Race() bool { return d != nil && d.Again.Unaccepted() == 0 && len(d.Gone) > 0 }

// A Coin is what one observation says about a path, for each level: 1 the
// candidate is the one that differs, −1 the control is, 0 neither can be said.
type Coin struct {
	Path  string
	Signs [levels]int8
}

// Recheck compares the answers of both sides asked twice: control and
// candidate, and then again, in an order drawn at random. If the candidate
// behaves like another control, the four are exchangeable, so each side
// repeating itself is as likely as each repeating the other, and the candidate
// being the odd one of four as likely as the control. That makes coins that
// may be thrown because of a mismatch, which a probe may not.
func Recheck(first *Result, control, candidate, control2, candidate2 *Answer, rules *Rules, profile *Profile) *Drift {
	d := &Drift{Again: Compare(control2, candidate2, rules, profile)}
	again := d.Again.agreement()
	pair := func(a, b *Answer) map[string]Level {
		r := Compare(a, b, rules, profile)
		return r.agreement()
	}
	cc, ss := pair(control, control2), pair(candidate, candidate2)
	cs, sc := pair(control, candidate2), pair(candidate, control2)
	before := first.agreement()
	for i := range first.Differences {
		f := &first.Differences[i]
		if _, ok := before[f.Path]; !ok {
			continue // another kind at the same path
		}
		apart := before[f.Path]
		delete(before, f.Path)
		if _, ok := again[f.Path]; !ok && !f.Accepted() {
			d.Gone = append(d.Gone, f.Path)
		}
		d.Coins = append(d.Coins, Coin{f.Path, coin(apart, cc[f.Path], ss[f.Path], cs[f.Path], sc[f.Path])})
	}
	return d
}

// coin tosses for each level at which the first answers disagree.
func coin(apart, cc, ss, cs, sc Level) (signs [levels]int8) {
	for i := range signs {
		l := Level(i)
		if apart <= l {
			continue
		}
		switch {
		case cc <= l && ss <= l && cs > l && sc > l, // each repeats itself
			cc <= l && cs <= l && ss > l && sc > l: // only the candidate's first is odd
			signs[i] = 1
		case cs <= l && sc <= l && cc > l && ss > l, // each repeats the other
			ss <= l && sc <= l && cc > l && cs > l: // only the control's first is odd
			signs[i] = -1
		}
	}
	return signs
}
