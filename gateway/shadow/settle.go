package shadow

import (
	"encoding/binary"
	"errors"
	"runtime"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

// settle asks the candidate, compares and judges. It runs on a worker.
func (o *Observation) settle(l *lane) {
	defer o.free()
	w := o.watch
	p := w.judge.begin(o)
	candidate, again := &o.candidate, &o.again
	probed := false
	if p.probe && !p.candidateFirst {
		probed = o.ask(o.input.Again, again) == nil && !again.Body.Lost()
	}
	err := o.ask(o.input.Ask, candidate)
	l.breaker.report(err == nil || errors.Is(err, ErrNoRehearsal) || errors.Is(err, errStream), time.Now())
	if reason := o.undecided(err, candidate); reason != "" {
		o.dropped(reason)
		return
	}
	if p.probe && p.candidateFirst {
		probed = o.ask(o.input.Again, again) == nil && !again.Body.Lost()
	}
	runtime.Gosched()
	control, other := o.control.compared(nil), candidate.compared(err)
	seen := &compare.Observation{
		Endpoint: p.endpoint, Target: Redact(o.question.Target), Time: time.Now(), Repeatable: o.repeatable(), Key: p.rules.Mark(o.input.Key), Network: o.input.Network,
		Control: string(o.input.Control), ControlTrace: traceOf(o.question.Origin), CandidateTrace: candidate.Trace, Size: control.Length + other.Length,
		ControlTook: o.control.Took, CandidateTook: candidate.Took, Request: o.like,
	}
	v := Verdict{Status: candidate.Status, Upstream: candidate.From}
	if o.input.Control == migrations.Modern {
		v.Status, v.Upstream = o.control.Status, o.endpoint
	}
	seen.Request.Upstream = v.Upstream
	seen.Result = compare.Compare(control, other, p.rules, p.profile)
	if v.Probed = probed; probed {
		w.tally.probes.Add(1)
		r := compare.Probe(control, again.compared(nil), p.rules, p.profile)
		seen.Probe = &r
		v.Noise = noise(&seen.Result, &r)
	}
	v.ControlBad = control.Status >= 500
	v.CandidateBad = err != nil && (!errors.Is(err, errTimeout) || 2*o.control.Took < o.limit()) || err == nil && other.Status >= 500
	if seen.Result.Outcome == compare.Mismatch && err == nil {
		seen.Drift = o.recheck(p, &seen.Result, control, other)
	}
	v.NoAnswer = err != nil
	v.Restart = v.CandidateBad && (err != nil || other.Status >= 502 && other.Status <= 504)
	if monolithFailed(o.input.Control, v) { // nothing is learned of the service from that (law 12)
		v.Outcome = seen.Result.Outcome
	} else {
		v.Outcome = w.judge.finish(w, seen)
	}
	v.Span = spanOf(o.question.Origin)
	o.decide(v)
}

// repeatable reports whether the sides may be asked again.
func (o *Observation) repeatable() bool { return o.input.Safe && o.input.Repeat }

// undecided says why there is nothing to judge, if so.
func (o *Observation) undecided(err error, candidate *Answer) Reason {
	switch {
	case o.watch.shadow.ctx.Err() != nil:
		return Closing
	case errors.Is(err, ErrNoRehearsal):
		return NoAck
	case errors.Is(err, errStream):
		return Stream
	case candidate.Body.Lost():
		return NoBudget
	}
	return ""
}

// ask puts the question to a side within the migration's time.
func (o *Observation) ask(send Send, a *Answer) error {
	err := o.watch.shadow.ask(send, &o.question, o.control.Body.Len(), o.limit(), a)
	o.spoilt = o.spoilt || err != nil
	return err
}

// limit is the time that an answer may take.
func (o *Observation) limit() time.Duration {
	if t := o.watch.set.Load().plan.Compare.Timeout; t > 0 {
		return t
	}
	return o.watch.shadow.Timeout
}

// monolithFailed reports whether the monolith failed in an observation: a
// difference is nobody's mismatch then.
func monolithFailed(control migrations.Side, v Verdict) bool {
	if control == migrations.Modern {
		return v.CandidateBad
	}
	return v.ControlBad
}

// recheck asks both sides again about a mismatch, in an order drawn at random,
// where the route allows it and there is room for it. Nil means that it did not.
func (o *Observation) recheck(p procedure, first *compare.Result, control, candidate *compare.Answer) *compare.Drift {
	if !o.repeatable() {
		return nil
	}
	controlFirst, ok := o.watch.judge.mayRecheck(p.endpoint, first)
	if !ok {
		return nil
	}
	var control2, candidate2 Answer
	defer control2.Body.Free()
	defer candidate2.Body.Free()
	var controlErr, candidateErr error
	if !controlFirst {
		candidateErr = o.ask(o.input.Ask, &candidate2)
	}
	controlErr = o.ask(o.input.Again, &control2)
	if controlFirst {
		candidateErr = o.ask(o.input.Ask, &candidate2)
	}
	o.watch.tally.probes.Add(1)
	if controlErr != nil || control2.Body.Lost() || candidate2.Body.Lost() || errors.Is(candidateErr, errStream) || o.watch.shadow.ctx.Err() != nil {
		return nil
	}
	return compare.Recheck(first, control, candidate, control2.compared(nil), candidate2.compared(candidateErr), p.rules, p.profile)
}

// compared is the answer as the comparer takes it; err is why there is none.
func (a *Answer) compared(err error) *compare.Answer {
	switch {
	case errors.Is(err, errTimeout):
		return &compare.Answer{Failure: compare.TimedOut}
	case err != nil:
		return &compare.Answer{Failure: compare.Failed}
	}
	c := &compare.Answer{Status: a.Status, Header: a.Header, Body: a.Body.Bytes(), Truncated: !a.Body.Whole(), Length: a.Body.Len()}
	c.Hash[0] = 1 // a hash of all zeros would stand for none
	binary.BigEndian.PutUint64(c.Hash[1:], a.Body.Sum())
	return c
}
