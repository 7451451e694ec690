package dashboard

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A Cell is how far one cell of a migration has moved, and what its guard
// weighs. A migration without cells has one, without a name.
type Cell struct {
	Name       string           `json:"name,omitempty"` // "rest" is what no named one takes
	Stage      migrations.Stage `json:"stage"`          // the most advanced that has a share
	Split      string           `json:"split"`
	Unknown    bool             `json:"unknown,omitempty"` // an outside flag decides, and the shares are what it may be at most
	Shares     []Share          `json:"shares"`
	Epoch      uint64           `json:"epoch"` // event that last changed the split
	Since      time.Time        `json:"since"` // log time of that event
	Ramp       migrations.Ramp  `json:"ramp"`
	Step       int              `json:"step"` // of the ramp, from 1; 0 is before the first
	RolledBack bool             `json:"rolled_back"`
	Cause      migrations.Cause `json:"cause,omitempty"`    // why the gateway holds it, or rolled it back; absent: a person did
	Began      *time.Time       `json:"began,omitempty"`    // log time from which the step is held
	Approved   int              `json:"approved,omitempty"` // step that a person has approved
	Resumes    *int             `json:"resumes,omitempty"`  // step at which a resume would go on; 0 is before the first; absent: it runs, or has no ramp
	Retries    int              `json:"retries,omitempty"`  // how often it has begun again by itself
	Return     *Return          `json:"return,omitempty"`   // the way back that is under way
	Test       *Test            `json:"test,omitempty"`     // absent: none runs
}

// A Return is a way back that is spread over some time.
type Return struct {
	From    string    `json:"from"` // split that it began with
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until"`
	Because uint64    `json:"because"` // event that holds the evidence
}

// A Test is what is known in the present test of a cell.
type Test struct {
	Event      uint64                 `json:"event"`  // that began it
	Number     int                    `json:"number"` // among all of the migration
	Alpha      float64                `json:"alpha"`  // chance of a false alarm that it may spend
	Counted    bool                   `json:"counted"`
	Legacy     SideCounts             `json:"legacy"` // requests of users whom their bucket placed
	Modern     SideCounts             `json:"modern"`
	People     int                    `json:"people"`                // active on the service, counted up to 64
	Cohort     uint64                 `json:"cohort"`                // requests that a rule placed: not in the test
	Keyless    uint64                 `json:"keyless"`               // requests without a key: not in the test
	Harm       uint64                 `json:"harm"`                  // requests that failed for the user, fallback and all
	Tau        string                 `json:"tau,omitempty"`         // latency of the monolith until the first byte beyond which an answer is slow at p99, as in 250ms
	Slow       []string               `json:"slow,omitempty"`        // likewise of all that are known, as in "first byte p50 of 12ms"
	Aside      uint64                 `json:"aside,omitempty"`       // failures of a restart that fallback healed: not in the test
	OneNetwork bool                   `json:"one_network,omitempty"` // all requests come from one client network, which can't be told from all users
	Blameless  uint64                 `json:"blameless,omitempty"`   // failures that the monolith shared: not in the test
	Observed   *evidence.Observations `json:"observed"`              // comparisons
	Weights    []Weight               `json:"weights"`               // by metric
	Endpoints  []TestEndpoint         `json:"endpoints,omitempty"`   // the busiest, the first ten
	Ratio      *Weight                `json:"ratio,omitempty"`       // whether people are where the split says
}

// A Weight is the evidence of one metric.
type Weight struct {
	Metric    evidence.Metric `json:"metric"`
	Service   uint64          `json:"service"` // users with a bad event on the service
	Legacy    uint64          `json:"legacy"`  // and on the monolith
	E         float64         `json:"e"`
	Threshold float64         `json:"threshold"` // at which it trips
	Trips     bool            `json:"trips"`
	Says      string          `json:"says"` // what users met, and how many of them on either side
	Text      string          `json:"text"` // the numbers of the test, for people
}

// Near returns how far the evidence is on its way to the threshold, 0 to 1, by
// its logarithm: each bad event of a kind adds the same.
func (w Weight) Near() float64 {
	if w.E <= 1 || w.Threshold <= 1 {
		return 0
	}
	return min(math.Log(w.E)/math.Log(w.Threshold), 1)
}

// cellsOf shows the cells of a migration: by its plan in the order in which
// they advance, and with what the guard weighs; without a plan as far as the
// state goes.
func (a *api) cellsOf(s migrations.State, plan migrations.Plan, counts evidence.Counts, now time.Time) []Cell {
	var out []Cell
	for _, w := range migrations.Weigh(s, plan, counts, now) {
		c := courseOf(w.Cell, w.Course)
		if len(plan.Steps) > 0 && w.Course.Ramp != migrations.RampRunning && !w.Course.Completed() {
			at := plan.StepAt(w.Course.Split)
			c.Resumes = &at
		}
		if w.Course.Test != 0 {
			c.Test = testOf(w, plan)
		}
		out = append(out, c)
	}
	return out
}

// pastCells shows the cells of a past state.
func pastCells(m migrations.Migration) []Cell {
	if len(m.Cells) == 0 {
		return []Cell{courseOf("", m.Course(migrations.Rest))}
	}
	var out []Cell
	for _, name := range m.CellNames() {
		out = append(out, courseOf(name, m.Course(name)))
	}
	return out
}

func courseOf(name string, c migrations.Course) Cell {
	shares := sharesOf(c.Split)
	out := Cell{
		Name: name, Stage: shares[0].Stage, Split: splitOf(c), Unknown: c.Unknown, Shares: shares, Epoch: c.Epoch, Since: c.Since,
		Ramp: c.Ramp, Step: c.Step, RolledBack: c.RolledBack, Cause: c.Cause, Approved: c.Approved, Retries: c.Retries,
	}
	if !c.Began.IsZero() {
		out.Began = &c.Began
	}
	if r := c.Return; r != nil {
		out.Return = &Return{From: r.From.String(), Since: r.Since, Until: r.Until, Because: r.Because}
	}
	return out
}

func testOf(w migrations.Weighing, plan migrations.Plan) *Test {
	out := &Test{
		Event: w.Course.Test, Number: w.Course.K, Counted: w.Known, People: w.Counts.Active.Len(), Harm: w.Counts.Harm,
		Observed: &w.Counts.Observed, Weights: []Weight{},
	}
	out.OneNetwork = !w.Several && !plan.Guard.OneNetwork && w.Counts.Requests().Sum() > 0
	out.Aside, out.Blameless = w.Counts.Aside, w.Counts.Blameless
	if w.Course.Tau > 0 {
		out.Tau = w.Course.Tau.String()
	}
	for i, l := range evidence.Latencies {
		if tau := cmp.Or(w.Course.Taus[i], w.Counts.Taus[i]); tau > 0 {
			out.Slow = append(out.Slow, fmt.Sprintf("%s of %s", strings.ReplaceAll(string(l.Metric), "_", " "), tau.Round(100*time.Microsecond)))
		}
	}
	for _, e := range w.Counts.Epochs {
		for side, counts := range map[evidence.Side]*SideCounts{evidence.Legacy: &out.Legacy, evidence.Modern: &out.Modern} {
			counts.Requests += e.Requests[side]
			counts.Failed += e.Bad[evidence.Errors][side] + e.Bad[evidence.Timeouts][side]
			counts.Slow += slowOf(e, side)
		}
		out.Cohort += e.Cohort.Sum()
		out.Keyless += e.Keyless
	}
	for _, r := range w.Records {
		out.Weights = append(out.Weights, weightOf(r, plan))
		out.Alpha = r.Level()
	}
	out.Endpoints = testEndpointsOf(w.Counts)
	if len(w.Records) > 0 {
		ratio := weightOf(w.Ratio, plan)
		out.Ratio = &ratio
	}
	return out
}

// slowOf returns the requests of an epoch that were slow at p99: those are slow
// for users, while half of all are slower than the p50.
func slowOf(e evidence.Epoch, side evidence.Side) (n uint64) {
	for _, l := range evidence.Latencies {
		if !l.Central {
			n = max(n, e.Bad[l.Metric][side])
		}
	}
	return n
}

func weightOf(r evidence.Record, plan migrations.Plan) Weight {
	out := Weight{Metric: r.Metric, E: r.E, Threshold: r.Threshold, Trips: r.Trips(), Says: plan.Says(r), Text: r.String()}
	for _, s := range r.Epochs {
		out.Service += s.Service
		out.Legacy += s.Legacy
	}
	for _, s := range r.Slots {
		out.Service += s.Bad[evidence.Modern]
		out.Legacy += s.Bad[evidence.Legacy]
	}
	return out
}
