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

// requests returns how many requests of users it takes until the test is sure:
// in 95 of 100 runs no more. A key votes once.
func (m mathematics) requests(service, monolith float64) int {
	const most = 200_000
	threshold := m.budget.Threshold()
	needed := make([]int, 0, seeds)
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 7))
		onService, voted := make([]bool, m.users), make([]bool, m.users)
		for u := range onService {
			onService[u] = r.Float64() < m.share
		}
		sample := []evidence.Sample{{W: m.share}}
		n := 1
		for ; n < most; n++ {
			u := r.IntN(m.users)
			if voted[u] {
				continue
			}
			switch {
			case onService[u] && r.Float64() < service:
				sample[0].Service++
			case !onService[u] && r.Float64() < monolith:
				sample[0].Legacy++
			default:
				continue
			}
			voted[u] = true
			if evidence.E(sample, evidence.Worse(), 0) >= threshold {
				break
			}
		}
		needed = append(needed, n)
	}
	slices.Sort(needed)
	return needed[seeds*95/100]
}

// step returns how many requests the first step needs before the next may
// begin, if nothing speaks against it: the clean ones on the service, or where
// nobody is on the service, comparisons.
func step(m mathematics) int {
	if m.plan.Steps[0].Stage == migrations.Shadow {
		return int(evidence.CleanSample(0.01, evidence.Confidence))
	}
	return int(math.Ceil(float64(migrations.LeastClean) / m.share))
}

// within allows for what the case itself adds, such as requests before a
// throttle begins.
func within(extra int, need func(mathematics) int) func(mathematics) int {
	return func(m mathematics) int { return extra + need(m) }
}
