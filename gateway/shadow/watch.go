package shadow

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

// A Watch observes one migration. It outlives reloads, so that what has been
// learned and found stays.
type Watch struct {
	shadow *Shadow
	id     string
	tally  tally
	set    atomic.Pointer[setting]
	sample sampler
	judge  judge
}

// A setting is what a plan says about comparing. It is immutable.
type setting struct {
	plan   *migrations.Plan
	legacy *lane // to the upstream that is moved away from
	modern *lane
}

// Watch returns the watch of a migration, made if need be, with the rules of
// plan from now on. It is for the time when a table is compiled.
func (s *Shadow) Watch(plan *migrations.Plan, hosts []string) (*Watch, error) {
	definition := compare.Definition{Rules: plan.Compare.Rules, Hosts: hosts, Skew: plan.Compare.Skew, MaskKey: s.MaskKey}
	if _, err := compare.CompileRules(definition, time.Now()); err != nil {
		return nil, fmt.Errorf("migration %s: compare: %w", plan.ID, err)
	}
	legacy, modern := s.laneTo(plan.From), s.laneTo(plan.To)
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.watches[plan.ID]
	if w == nil {
		w = &Watch{shadow: s, id: plan.ID}
		w.judge.init(s.before[plan.ID])
		s.watches[plan.ID] = w
	}
	w.judge.configure(definition, time.Now())
	w.sample.set(plan.Compare.Sample)
	w.set.Store(&setting{plan: plan, legacy: legacy, modern: modern})
	return w, nil
}

// Find returns the watch of a migration, nil if there is none.
func (s *Shadow) Find(migration string) *Watch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watches[migration]
}

// Each calls f for every watch.
func (s *Shadow) Each(f func(*Watch)) {
	s.mu.Lock()
	all := make([]*Watch, 0, len(s.watches))
	for _, w := range s.watches {
		all = append(all, w)
	}
	s.mu.Unlock()
	for _, w := range all {
		f(w)
	}
}

// Migration returns the id of the migration.
func (w *Watch) Migration() string { return w.id }

// Counts returns what has become of the observations.
func (w *Watch) Counts() Counts { return w.tally.counts() }

// lane returns the way to the candidate of an observation.
func (w *Watch) lane(control migrations.Side) *lane {
	set := w.set.Load()
	if control == migrations.Modern {
		return set.legacy
	}
	return set.modern
}

// Begin decides whether a request is observed; nil means that it is not.
func (w *Watch) Begin(in Input) *Observation {
	if w == nil || !w.wants(in) || neverCompared(in.Method, in.Header) || w.shadow.closed.Load() {
		return nil
	}
	key := in.KeyHash
	if key == 0 {
		key = rand.Uint64()
	}
	now := time.Now()
	must := !in.Safe && w.set.Load().plan.Writes == migrations.WritesDual // a real write is no sample
	if !must && !w.sample.samples(key, in.Method, in.Path, now) {
		return nil
	}
	w.tally.sampled.Add(1)
	o := observations.Get().(*Observation)
	o.watch, o.input = w, in
	if !must {
		o.verdict = w.lane(in.Control).refuses(now)
	}
	if !in.Safe {
		o.question.Rehearse = true
		o.question.Real = must
		if must && len(in.Header[http.CanonicalHeaderKey("Idempotency-Key")]) == 0 {
			o.verdict = NoKey
		}
	}
	return o
}

// wants reports whether requests like this one are compared at all.
func (w *Watch) wants(in Input) bool {
	if in.Safe {
		return compared(in.Stage)
	}
	switch w.set.Load().plan.Writes {
	case migrations.WritesRehearse:
		return compared(in.Stage)
	case migrations.WritesDual:
		return in.Stage != migrations.Off && in.Stage != migrations.Complete
	}
	return false
}
