package toll

import (
	"fmt"
	"os"
	"time"
)

// foreign is how much of one processor other processes may use while it is
// measured.
const foreign = 0.2

// run loads the gateway for a while. Disturbed says that the machine had
// something else to do.
func (r *road) run(u turn) (got turned, disturbed bool) {
	r.t.Helper()
	before, ours := make(map[string]float64), make(map[string]bool)
	for _, pid := range r.pids {
		before[pid], ours[pid] = used(pid), true
	}
	other := usedBySomethingElse(ours)
	if err := r.in.Encode(u); err != nil {
		r.t.Fatal(err)
	}
	if err := r.out.Decode(&got); err != nil {
		r.t.Fatal(err)
	}
	other = (usedBySomethingElse(ours) - other) / u.Span.Seconds()
	if os.Getenv("FICUS_BENCH") == "turns" {
		busy := ""
		for _, role := range [...]string{"load", "gateway", "monolith", "service"} {
			busy += fmt.Sprintf("%s %.0f %%, ", role, 100*(used(r.pids[role])-before[r.pids[role]])/u.Span.Seconds())
		}
		r.t.Logf("%6.0f requests/s: p50 %v, p90 %v, p99 %v; sent late p99 %v; %d failed; %sothers %.0f %%", u.Rate,
			quantile(0.5, got.Took), quantile(0.9, got.Took), quantile(0.99, got.Took), quantile(0.99, got.Late), got.Failed, busy, 100*other)
	}
	return got, other > foreign
}

// calm is run, again and again until nothing disturbs it.
func (r *road) calm(u turn) turned {
	r.t.Helper()
	for range 20 {
		if got, disturbed := r.run(u); !disturbed {
			return got
		}
	}
	r.t.Fatal("other programs keep the machine busy")
	return turned{}
}

// tooSlow is what the p99 of a gateway that is saturated exceeds, beyond what
// the applications take.
const tooSlow = 20 * time.Millisecond

// saturation returns the highest rate, in requests a second, at which the p99
// stays bounded, time and again.
func (r *road) saturation(wait time.Duration) float64 {
	r.t.Helper()
	bears := func(rate float64) bool {
		for seed := range uint64(3) {
			got := r.calm(turn{Rate: rate, Span: 1500 * time.Millisecond, Seed: seed})
			if got.Failed > 0 || quantile(0.99, got.Took) >= wait+tooSlow {
				return false
			}
		}
		return true
	}
	good, bad := 2000.0, 0.0
	if !bears(good) {
		r.t.Fatalf("%.0f requests/s are too much already", good)
	}
	for rate := 1.5 * good; bad == 0; rate *= 1.5 {
		if bears(rate) {
			good = rate
		} else {
			bad = rate
		}
	}
	for range 4 {
		if rate := (good + bad) / 2; bears(rate) {
			good = rate
		} else {
			bad = rate
		}
	}
	return good
}
