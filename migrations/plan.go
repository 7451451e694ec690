package migrations

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/migrations/compare"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A Plan is what the config says of one migration, compiled. It is immutable.
type Plan struct {
	ID          string      `json:"id"`
	Flag        string      `json:"flag"` // OpenFeature flag key; the id unless the config says otherwise
	From        string      `json:"from"` // upstream moved away from
	To          string      `json:"to"`   // upstream moved to
	RenamedFrom string      `json:"renamed_from,omitempty"`
	Retired     bool        `json:"retired,omitempty"`
	Key         []KeySource `json:"key,omitempty"` // first present; empty: requests are keyless
	Data        Data        `json:"data,omitempty"`
	Synced      *Synced     `json:"synced,omitempty"` // with DataSynced
	Writes      Writes      `json:"writes,omitempty"`
	Owner       string      `json:"owner,omitempty"`
	Journeys    bool        `json:"journeys,omitempty"` // who is in the middle of something stays on the side where it began
	Auto        bool        `json:"auto,omitempty"`     // the ramp begins without a resume
	Resume      string      `json:"resume,omitempty"`   // reason by which the config lets the ramp go on; a new one counts once
	Cohorts     []Cohort    `json:"cohorts,omitempty"`
	Steps       []Step      `json:"steps,omitempty"` // the ramp, least advanced first
	Guard       Guard       `json:"guard"`
	Compare     Compare     `json:"compare"`
	Rollback    Way         `json:"rollback"`
	Cells       []Cell      `json:"cells,omitempty"`   // in the order in which they advance; what none takes is [Rest], the last
	AtOnce      int         `json:"at_once,omitempty"` // how many migrations may move at once; 0: any number
	Freezes     []Freeze    `json:"freezes,omitempty"` // when ramps stand still
}

// A Cell is a part of the requests that a rule names, such as a region: it has
// a split, a ramp and a guard of its own.
type Cell struct {
	Name string      `json:"name"`
	When []Condition `json:"when"` // all must hold
}

// A Way says how an automatic rollback goes about, and what comes after.
type Way struct {
	To      Stage         `json:"to,omitempty"`      // [Shadow] goes on comparing; empty: [Off]
	Return  time.Duration `json:"return,omitempty"`  // time over which the way back is spread; 0: at once
	Retry   time.Duration `json:"retry,omitempty"`   // after which the ramp begins again by itself; 0: never
	Retries int           `json:"retries,omitempty"` // how often it does; below 1 counts as 1
	Close   bool          `json:"close,omitempty"`   // upgraded connections to the service are closed; false: their users keep them
}

// CellSteps returns the cells of the plan with the step that each stands at in
// m, as the events that create and plan a migration state them.
func (p Plan) CellSteps(m Migration) Cells {
	var out Cells
	for _, c := range p.Cells {
		if out == nil {
			out = make(Cells, len(p.Cells))
		}
		out[c.Name] = p.StepAt(m.Course(c.Name).Split)
	}
	return out
}

// A KeySource is one place a targeting key is looked for.
type KeySource struct {
	Kind KeyKind `json:"kind"`
	Name string  `json:"name,omitempty"` // of the header, cookie, query parameter or claim
}

// A KeyKind is a kind of [KeySource].
type KeyKind string

// The kinds of targeting key.
const (
	KeyHeader    KeyKind = "header"
	KeyCookie    KeyKind = "cookie"
	KeyQuery     KeyKind = "query"
	KeyJWT       KeyKind = "jwt"       // claim of a bearer token, not verified: for bucketing only
	KeyIP        KeyKind = "ip"        // client address
	KeyURL       KeyKind = "url"       // path and query, for answers that a shared cache may store
	KeyRequest   KeyKind = "request"   // random for each request
	KeyAnonymous KeyKind = "anonymous" // signed first-party cookie that the gateway sets
)

// String writes the source as the config has it: "cookie:uid", "anonymous".
func (k KeySource) String() string {
	if k.Name == "" {
		return string(k.Kind)
	}
	return string(k.Kind) + ":" + k.Name
}

// Synced says how the lag of replicated data is measured.
type Synced struct {
	Lag    string        `json:"lag"`     // URL that answers a GET with the lag in seconds
	MaxLag time.Duration `json:"max_lag"` // what can be borne
}

// A Cohort places the requests that a rule names at a stage, whatever their bucket.
type Cohort struct {
	Name  string      `json:"name"`
	When  []Condition `json:"when"` // all must hold
	Stage Stage       `json:"stage"`
}

// A Condition looks at one fact of a request. Exactly one of Header, Cookie
// and Query names it. With neither Is nor In, presence is enough.
type Condition struct {
	Header string   `json:"header,omitempty"`
	Cookie string   `json:"cookie,omitempty"`
	Query  string   `json:"query,omitempty"`
	Is     *string  `json:"is,omitempty"`
	In     []string `json:"in,omitempty"`
}

// A Step is one step of a ramp: the split it asks for, and what must have
// happened before the next one begins.
type Step struct {
	Stage        Stage         `json:"stage"`
	Share        int           `json:"share"`                  // buckets at Stage
	Hold         time.Duration `json:"hold,omitempty"`         // least time at this step, in log time
	Requests     int           `json:"requests,omitempty"`     // least clean requests on the service
	Observations int           `json:"observations,omitempty"` // least comparisons
	Approve      bool          `json:"approve,omitempty"`      // a person must approve this step before it begins
}

// Split returns the split of the step, with what is left over at the stage
// that the ramp had before: a live step leaves the others in shadow if an
// earlier step was in shadow.
func (p Plan) Split(step int) Split {
	if step < 1 || step > len(p.Steps) {
		return All(Off)
	}
	below := Off
	for _, s := range p.Steps[:step-1] {
		if s.Stage.Rank() < p.Steps[step-1].Stage.Rank() && s.Share == Buckets {
			below = s.Stage
		}
	}
	s := p.Steps[step-1]
	split, err := NewSplit(Share{s.Stage, s.Share}, Share{below, Buckets - s.Share})
	if err != nil {
		return All(Off) // a compiled plan has no such step
	}
	return split
}

// StepAt returns the number of the last step that is not beyond split, from
// 1; 0 if all are.
func (p Plan) StepAt(split Split) int {
	at := 0
	for i := range p.Steps {
		if !p.Split(i + 1).Beyond(split) {
			at = i + 1
		}
	}
	return at
}

// A Guard says what may hold or reverse a ramp. Zero values mean the defaults
// that the config compiler fills in.
type Guard struct {
	FalseAlarm float64       `json:"false_alarm,omitempty"` // chance of ever rolling back a service as good as the monolith, 0 to 1
	Errors     float64       `json:"errors,omitempty"`      // tolerated worsening of the error rate: 0.2 is 20 %
	Timeouts   float64       `json:"timeouts,omitempty"`    // tolerated worsening of the rate of timeouts
	Outcomes   bool          `json:"outcomes,omitempty"`    // whether classes of outcome are tested that are no failure by themselves; see [evidence.Classes]
	Latency    *LatencyGuard `json:"latency,omitempty"`     // nil: latency is not watched
	Mismatches float64       `json:"mismatches,omitempty"`  // share of mismatches above which it rolls back, 0 to 1; 0: it does not for that
	AtMost     float64       `json:"at_most,omitempty"`     // share of mismatches above which no step goes forward; 0: any share will do
	Findings   string        `json:"findings,omitempty"`    // severity from which an open finding holds the ramp: high or critical; empty: none does
	Blip       time.Duration `json:"blip,omitempty"`        // how long failures that fallback healed may be a restart; 0: they count at once
	OneNetwork bool          `json:"one_network,omitempty"` // all clients are behind one network, so that what one network does is not bounded
	Objective  float64       `json:"objective,omitempty"`   // share of the route's requests that is to succeed; 0: 99.95 %
	Saturation float64       `json:"saturation,omitempty"`  // share of the service's capacity in use from which the ramp waits; 0: not watched
	Harm       int           `json:"harm,omitempty"`        // failed user requests in a step that make it roll back; 0: no number does
	HarmBeyond bool          `json:"harm_beyond,omitempty"` // whether it rolls back when far more users see a failure than the monolith's rate predicts
	Metrics    []GuardMetric `json:"metrics,omitempty"`     // of the application
}

// A LatencyGuard says how much slower the service may be. All of
// [evidence.Latencies] are watched: at Quantile the service may be slower by
// WorseBy, at the others twice as slow, or by WorseBy if that is more.
type LatencyGuard struct {
	Quantile float64 `json:"quantile"` // 0.5, 0.9 or 0.99
	WorseBy  float64 `json:"worse_by"` // 0.2 is 20 %
}

// twice is how much slower the service may be at the quantiles that the plan
// does not name.
const twice = 1.0

// Tolerance returns by how much the service may be slower at one of the set.
func (g LatencyGuard) Tolerance(l evidence.LatencyMetric, tau time.Duration) evidence.Tolerance {
	worse := g.WorseBy
	if l.Quantile != g.Quantile {
		worse = max(worse, twice)
	}
	return evidence.Tolerance{Tau: tau, WorseBy: worse}
}

// Compare says how much of the traffic is compared, and with which rules.
type Compare struct {
	Sample  float64        `json:"sample"` // of the targeting keys, 0 to 1
	Timeout time.Duration  `json:"timeout,omitempty"`
	Skew    time.Duration  `json:"skew,omitempty"` // by which clocks may differ; 0: the comparer's default
	Rules   []compare.Rule `json:"rules,omitempty"`
}

// KeyString writes the key list as one text: "cookie:uid, anonymous".
func (p Plan) KeyString() string {
	names := make([]string, len(p.Key))
	for i, k := range p.Key {
		names[i] = k.String()
	}
	return strings.Join(names, ", ")
}

// Hash returns a hash of the whole plan, 16 hex digits. Replicas whose plan
// hashes differ may only go backward (law 5).
func (p Plan) Hash() string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // a Plan holds plain data only
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
