package evidencetest

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// inFlight is how many requests may be over after the one that decides and
// before the decision: those under way, and those that are made while it is
// written to the log.
const inFlight = 60

// seeds is the number of simulated runs, of which the 95th percentile is what
// the mathematics needs.
const seeds = 200

// Mathematics are the numbers of one test.
type mathematics struct {
	plan   migrations.Plan
	budget evidence.Budget
	share  float64 // of the users on the service
	users  int
}

func mathematicsOf(plan migrations.Plan, test int, users int) mathematics {
	return mathematics{
		plan:   plan,
		budget: evidence.Budget{Alpha: plan.Guard.FalseAlarm, Test: test, Metrics: len(plan.Metrics())},
		share:  float64(plan.Steps[0].Share) / migrations.Buckets,
		users:  users,
	}
}

// rate returns a need: of a bad event that this share of the service's
// requests has, and of the monolith's.
func rate(service, monolith float64) func(mathematics) int {
	return func(m mathematics) int { return m.requests(service, monolith) }
}

// failure is [rate] of failures, where the same is asked of both sides: then
// pairs in which one side fails and the other does not are a test as well, and
// the sooner of the two decides.
func failure(service, monolith float64) func(mathematics) int {
	return func(m mathematics) int { return m.until(service, monolith, true) }
}

// requests returns how many requests of users it takes until the test is sure:
// in 95 of 100 runs no more. A key votes once.
func (m mathematics) requests(service, monolith float64) int {
	return m.until(service, monolith, false)
}

func (m mathematics) until(service, monolith float64, paired bool) int {
	const most = 200_000
	threshold := m.budget.Threshold()
	needed := make([]int, 0, seeds)
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 7))
		onService, voted, matched := make([]bool, m.users), make([]bool, m.users), make([]bool, m.users)
		for u := range onService {
			onService[u] = r.Float64() < m.share
		}
		sample, pairs := []evidence.Sample{{W: m.share}}, []evidence.Sample{{W: 0.5}}
		n := 1
		for ; n < most; n++ {
			u := r.IntN(m.users)
			onMonolith := r.Float64() < monolith
			bad := onMonolith
			if onService[u] {
				bad = r.Float64() < service
				if paired && !matched[u] && bad != onMonolith {
					matched[u] = true
					count(&pairs[0], bad)
				}
			}
			if bad && !voted[u] {
				voted[u] = true
				count(&sample[0], onService[u])
			}
			if evidence.E(sample, evidence.Worse(), 0) >= threshold || evidence.E(pairs, evidence.Paired(), 0) >= threshold {
				break
			}
		}
		needed = append(needed, n)
	}
	slices.Sort(needed)
	return needed[seeds*95/100]
}

func count(s *evidence.Sample, onService bool) {
	if onService {
		s.Service++
	} else {
		s.Legacy++
	}
}

// step returns how many requests the first step needs before the next may
// begin, if nothing speaks against it: of as many users on the service as show
// that few enough comparisons differ, or where nobody is on the service, of all.
func step(m mathematics) int {
	share := m.share
	if m.plan.Steps[0].Stage == migrations.Shadow {
		share = 1
	}
	keys, users := float64(evidence.CleanSample(m.plan.Guard.AtMost, evidence.Confidence)), share*float64(m.users)
	if keys >= users {
		panic("too few users for this step")
	}
	distinct := users * math.Log(users/(users-keys)) // draws until so many different ones were drawn
	return int(math.Ceil(max(distinct, float64(migrations.LeastClean)) / share))
}

// within allows for what the case itself adds, such as requests before a
// throttle begins.
func within(extra int, need func(mathematics) int) func(mathematics) int {
	return func(m mathematics) int { return extra + need(m) }
}
