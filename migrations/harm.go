package migrations

import (
	"fmt"
	"math"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// harm says that too many users saw a failure of the service; empty if not. It
// is an absolute rule, outside α.
//
// A number that the plan gives counts requests. Without one, keys count, and too
// many are far more than the monolith's rate predicts: more than twice that, by
// six standard deviations and twenty keys. It is for what the test is slow to
// see, such as writes that fail where few users are left on the monolith. The rate is that of the last three
// days or of the last two minutes, whichever is greater, so that an outage that
// both sides share predicts itself.
func (v view) harm() string {
	if v.course.Split.Modern() == 0 {
		return ""
	}
	if limit := v.plan.Guard.Harm; limit > 0 {
		harmed := v.cell.Harm
		if v.several() && v.cell.HarmBy.Sum() > 0 { // one client network alone makes no rollback (law 13)
			harmed = v.cell.HarmBy.WithoutLargest()
		}
		if harmed < uint64(limit) {
			return ""
		}
		return fmt.Sprintf("%s at %s in this step, and the plan allows %d", requestsFailed(v.cell.Harm), v.plan.To, limit)
	}
	keys := v.cell.Bad[evidence.Harm]
	if !v.plan.Guard.HarmBeyond || keys == nil || v.course.Unknown {
		return ""
	}
	harmed := keys.Total()[evidence.Modern]
	if v.several() {
		worst := uint64(0)
		for _, n := range keys.ByNetwork() {
			worst = max(worst, n[evidence.Modern])
		}
		harmed -= worst
	}
	rate, ok := v.monolithRate()
	if !ok || harmed < leastHarmed {
		return ""
	}
	predicted := 2 * rate * float64(v.cell.Requests()[evidence.Modern])
	if float64(harmed) < predicted+6*math.Sqrt(predicted)+20 {
		return ""
	}
	return fmt.Sprintf("%s saw a failure from %s; at the rate of %s it would be about %.0f", users(harmed), v.plan.To, v.plan.From, math.Ceil(predicted/2))
}

// leastHarmed is the number of keys below which no rate is told.
const leastHarmed = 25

// monolithRate returns the share of the monolith's requests that fail, from
// above, and whether enough is known of it.
func (v view) monolithRate() (float64, bool) {
	const few = 100
	past, now := evidence.Slot{}, evidence.Slot{}
	for _, s := range v.counts.Burn[evidence.Legacy].Quarters {
		past.Requests, past.Bad = past.Requests+s.Requests, past.Bad+s.Bad
	}
	if past.Requests < few {
		return 0, false
	}
	rate := fromAbove(float64(past.Bad), past.Requests)
	if bad, requests := v.monolithFailures(); requests >= few {
		rate = max(rate, fromAbove(bad, requests))
	}
	for _, s := range v.counts.Burn[evidence.Legacy].Minutes {
		if s.At >= v.now.Add(-2*time.Minute).Unix()/60 {
			now.Requests, now.Bad = now.Requests+s.Requests, now.Bad+s.Bad
		}
	}
	if now.Requests > 0 {
		rate = max(rate, float64(now.Bad)/float64(now.Requests+few/5))
	}
	return rate, true
}

// fromAbove returns a rate that the true one seldom exceeds.
func fromAbove(bad float64, requests uint64) float64 {
	return (bad + 2*math.Sqrt(bad) + 3) / float64(requests)
}

// monolithFailures returns the requests of the present test that the monolith
// failed, without the share of the one client network that adds most to them,
// and how many it got.
func (v view) monolithFailures() (bad float64, requests uint64) {
	var failed uint64
	for _, e := range v.cell.Epochs {
		requests += e.Requests[evidence.Legacy]
		failed += e.Bad[evidence.Errors][evidence.Legacy] + e.Bad[evidence.Timeouts][evidence.Legacy]
	}
	bad = float64(failed)
	if keys := v.cell.Bad[evidence.Errors]; v.several() && keys != nil {
		all, worst := keys.Total()[evidence.Legacy], uint64(0)
		for _, n := range keys.ByNetwork() {
			worst = max(worst, n[evidence.Legacy])
		}
		if all > 0 {
			bad *= float64(all-worst) / float64(all)
		}
	}
	return bad, requests
}
