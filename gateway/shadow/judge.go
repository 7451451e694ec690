package shadow

import (
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/ficus-gateway/ficus/migrations/compare"
)

// A judge keeps what is known about one migration: its noise, its findings
// and its latencies. Only workers and operators touch it, never a request.
type judge struct {
	mu      sync.Mutex     // guards what follows; bodies are compared outside of it
	rules   *compare.Rules // of the config, and those accepted
	study   *compare.Study
	rng     *rand.Rand
	changed bool               // since it was last saved
	version uint64             // grows with each change
	evicted []*compare.Finding // had to go to make room, and are not spilled yet

	configured compare.Definition // what the config says
	accepted   []compare.Rule     // by people, while the gateway runs
}

// init begins with what is known from before, if anything is.
func (j *judge) init(before keptStudy) {
	j.study = compare.NewStudy(compare.NoiseOptions{}, compare.FindingsOptions{Seed: rand.Uint64()})
	if before.Noise != nil && before.Findings != nil {
		j.study.Noise, j.study.Findings = before.Noise, before.Findings
	}
	j.accepted = before.Accepted
	j.rng = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
}

// touch notes a change. It needs the lock.
func (j *judge) touch() {
	j.changed = true
	j.version++
}

// A procedure says how an observation is judged: it is decided before the
// candidate's answer is known, or the tests would be told lies.
type procedure struct {
	endpoint       string
	rules          *compare.Rules
	profile        *compare.Profile
	probe          bool // the control is asked once more
	candidateFirst bool // before that, the candidate is
}

func (j *judge) begin(o *Observation) procedure {
	j.mu.Lock()
	defer j.mu.Unlock()
	p := procedure{endpoint: j.endpointOf(o), rules: j.rules, candidateFirst: true}
	if o.repeatable() {
		p.probe, p.candidateFirst = j.study.Wants(p.endpoint, j.rng.Float64(), j.rng.Float64())
	}
	p.profile = j.study.Noise.Profile(p.endpoint)
	return p
}

// endpointOf names the endpoint of an observation: the route's pattern where
// that says all, else what was learned of paths. First visits, on which each
// side draws its own variant, are compared apart.
func (j *judge) endpointOf(o *Observation) string {
	name := o.input.Method + " " + o.input.Pattern
	if strings.Contains(o.input.Pattern, "*") {
		name = j.study.Endpoint(o.input.Method, o.input.Path)
	}
	if len(o.input.Header["Cookie"]) == 0 && len(o.control.Header["Set-Cookie"]) > 0 {
		return compare.FirstVisit(name)
	}
	return name
}

// mayRecheck decides whether both sides are asked again about a mismatch, and
// whether the control is first. What is beyond doubt already is not.
func (j *judge) mayRecheck(endpoint string, r *compare.Result) (controlFirst, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	doubt := false
	for i := range r.Differences {
		if d := &r.Differences[i]; !d.Accepted() && !j.study.Noise.Confirmed(endpoint, d.Path) {
			doubt = true
		}
	}
	return j.rng.IntN(2) == 0, doubt && j.study.WantsRecheck(r)
}

// maxEvicted bounds the findings that wait to be spilled.
const maxEvicted = 256

// finish takes an observation in and returns what it counts as. A mismatch
// that went away when both sides were asked again was a race, and counts as a
// match.
func (j *judge) finish(w *Watch, o *compare.Observation) compare.Outcome {
	j.mu.Lock()
	defer j.mu.Unlock()
	_, gone := j.study.Add(o)
	if gone != nil && len(j.evicted) < maxEvicted {
		gone.Smallest, gone.Begin, gone.Latest, gone.Sample = nil, nil, nil, nil // no file that grows holds what must be erased
		j.evicted = append(j.evicted, gone)
	}
	j.touch()
	if o.Drift.Race() {
		w.tally.races.Add(1)
		return compare.Match
	}
	return o.Result.Outcome
}

// View calls f with what is known about the migration. F must neither keep
// nor wait.
func (w *Watch) View(f func(*compare.Study)) {
	w.judge.mu.Lock()
	defer w.judge.mu.Unlock()
	f(w.judge.study)
}

// Change is as View for what changes something.
func (w *Watch) Change(f func(*compare.Study) error) error {
	w.judge.mu.Lock()
	defer w.judge.mu.Unlock()
	w.judge.touch()
	return f(w.judge.study)
}

// EraseKey drops every example of a targeting key, and says how many.
func (w *Watch) EraseKey(key string) (n int) { return w.EraseMark(w.Mark(key)) }

// Mark returns what stands for a targeting key in examples: the same on every
// gateway with the same secret.
func (w *Watch) Mark(key string) compare.Mark {
	w.judge.mu.Lock()
	defer w.judge.mu.Unlock()
	return w.judge.rules.Mark(key)
}

// EraseMark is [Watch.EraseKey] for who knows the mark of the key only.
func (w *Watch) EraseMark(mark compare.Mark) int {
	w.judge.mu.Lock()
	defer w.judge.mu.Unlock()
	w.judge.touch()
	return w.judge.study.EraseKey(mark)
}

// Version tells two states of what is known of the migration apart: it grows
// with each change, and begins anew with the process.
func (w *Watch) Version() uint64 {
	w.judge.mu.Lock()
	defer w.judge.mu.Unlock()
	return w.judge.version
}

// Sweep ends what is over: examples past the retention, findings not seen any more.
func (w *Watch) Sweep(now time.Time, retention time.Duration) {
	w.judge.mu.Lock()
	defer w.judge.mu.Unlock()
	w.judge.study.Sweep(now, retention)
	_ = w.judge.compile(w.judge.configured, w.judge.accepted, now) // rules that have ended count no more
	w.judge.touch()                                                // the file must lose what the memory has lost
}

// Open returns how many findings people should see.
func (w *Watch) Open(now time.Time) (n int) {
	w.View(func(s *compare.Study) { n = len(s.Findings.Real(now)) })
	return n
}
