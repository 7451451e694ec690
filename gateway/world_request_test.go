package gateway

import (
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/gateway/upstream"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/compare"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// An asked is a request as both sides would meet it.
type asked struct {
	user    *user
	missing bool    // on either side
	luck    float64 // whether it fails, where that does not depend on the side
	fated   bool    // it does not
	kind    int     // how it fails, likewise
}

// A madeOf is what one side makes of a request.
type madeOf struct {
	class  evidence.Class
	status int // 0: no answer
	err    upstream.Kind
	sent   bool // it may have taken the request
	spent  time.Duration
}

// silence is how long a side may take.
const silence = 3 * time.Second

// answer is what a side makes of a request at a time.
func (w *world) answer(a *asked, side migrations.Side, at time.Time) madeOf {
	spent := time.Duration(40 * a.user.pace * math.Exp(0.7*w.rng.NormFloat64()) * float64(time.Millisecond))
	if inSpan(w.slow, at) {
		spent *= 4
	}
	index := 0
	if side == migrations.Modern {
		index = 1
	}
	failing := max(a.user.errors, w.failing)
	if index == 1 {
		failing = max(failing, w.worse)
	}
	switch {
	case inSpan(w.restarts[index], at):
		return madeOf{class: evidence.ClassBroken, err: upstream.KindConnect, spent: time.Millisecond}
	case side == migrations.Legacy && inSpan(w.outages, at):
		failing = 0.9
	case inSpan(w.shared, at):
		failing = max(failing, 0.6)
	case a.user.circle > 0 && inSpan(w.circles[a.user.circle], at):
		failing = max(failing, 0.5)
	}
	luck, kind := a.luck, a.kind
	if !a.fated {
		luck, kind = w.rng.Float64(), w.rng.IntN(10)
	}
	switch {
	case luck >= failing && a.missing:
		return madeOf{class: evidence.ClassMissing, status: 404, sent: true, spent: spent}
	case luck >= failing:
		return madeOf{class: evidence.ClassOK, status: 200, sent: true, spent: spent}
	}
	switch kind {
	case 0:
		return madeOf{class: evidence.ClassTimeout, err: upstream.KindTimeout, sent: true, spent: silence}
	case 1, 2:
		return madeOf{class: evidence.ClassBroken, err: upstream.KindReset, sent: true, spent: spent}
	case 3:
		return madeOf{class: evidence.ClassFailed, status: 503, sent: true, spent: spent}
	}
	return madeOf{class: evidence.ClassFailed, status: 500, sent: true, spent: spent}
}

// request makes one request, and the comparison that follows it.
func (w *world) request(n int) {
	w.now = w.now.Add(time.Duration(w.rng.ExpFloat64() * float64(50*time.Millisecond)))
	w.passes()
	a := &asked{user: w.next(), luck: w.rng.Float64(), fated: w.rng.IntN(2) == 0, kind: w.rng.IntN(10)}
	a.missing = w.rng.Float64() < a.user.missing
	cell := &w.standing.cells[0]
	rec := &record{cell: cell, route: w.read, asked: true}
	rec.Method, rec.Target = "GET", "/orders/"+strconv.Itoa(w.rng.IntN(40))
	switch x := w.rng.IntN(40); {
	case x < 4:
		rec.route, rec.Method, rec.Target = w.write, "POST", "/orders"
	case x < 13:
		rec.route, rec.Target = w.search, "/orders/search"
	}
	rec.Side, rec.Stage, rec.Pattern, rec.KeySource, rec.Start = migrations.Legacy, cell.state.Split.At(a.user.bucket), rec.route.Match.Path, "header:X-User", w.now
	if a.user.bucket < cell.share {
		rec.Side = migrations.Modern
	}
	rec.assignment = flags.Assignment{Key: "user", KeyHash: a.user.key, Placed: true, Verified: true}
	rec.input.Safe = rec.Method == "GET"
	rec.outgoing.Method, rec.outgoing.Retry = rec.Method, rec.input.Safe
	rec.peer.client = a.user.address
	if f := rec.standsFor(); cell.test != 0 && f&placed != 0 && w.book.ledger.arrivals.fresh(rec.evidenceKey(), cell.test, f) {
		w.book.ledger.write(&line{cell: cell, key: rec.evidenceKey(), network: evidence.Network(rec.network()), at: w.now.UnixNano(), facts: arrived | f | rec.sideFact()})
	}
	var pair *pairing
	if rec.input.Safe && (rec.Stage == migrations.Shadow || rec.Stage == migrations.Live) {
		rec.pair = uint64(n) + 1
		pair = &pairing{
			cell: cell, key: rec.evidenceKey(), network: evidence.Network(rec.network()), control: rec.Side, pair: rec.pair,
			method: rec.Method, target: rec.Target, pattern: rec.Pattern,
		}
	}
	first := w.answer(a, rec.Side, w.now)
	w.times(rec, first)
	rec.class, rec.firstStatus, rec.firstErr, rec.Total = first.class, first.status, first.err, first.spent
	if first.status != 0 {
		rec.took, rec.whole = first.spent, first.spent+first.spent/10
		rec.Total = rec.whole
	}
	if reason := rec.gaveUp(first); reason != "" {
		rec.Fallback = reason
		second := w.answer(a, migrations.Legacy, w.now.Add(first.spent))
		rec.bothFailed, rec.healed = second.class.Failure(), !second.class.Failure()
		rec.Total += second.spent
	}
	end := w.now.Add(rec.Total)
	w.later(end, func() {
		rec.account()
		switch {
		case pair == nil:
		case rec.failedOver(): // as [shadow.Observation.FellBack]
			w.settled(pair, shadow.Verdict{Outcome: compare.Failed, FellBack: true, ControlBad: true, CandidateBad: rec.bothFailed}, end.Add(time.Microsecond))
		case first.status == 0: // as [shadow.Observation.End]
			w.settled(pair, shadow.Verdict{Outcome: compare.Dropped}, end.Add(time.Microsecond))
		default:
			w.compare(pair, a, first, end)
		}
	})
}

// gaveUp says why the monolith is asked in place of the service; empty: it is not.
func (rec *record) gaveUp(first madeOf) string {
	if !rec.fallsBack() {
		return ""
	}
	var res *upstream.Response
	var err error
	if first.status != 0 {
		res = &upstream.Response{Status: first.status}
	} else {
		err = &upstream.Error{Kind: first.err, Sent: first.sent, Err: errors.New("no answer")}
	}
	reason, sent := rec.failedService(context.Background(), res, err)
	if !rec.repeatable(sent) {
		return ""
	}
	return reason
}

// times has the watchdog tell that a request is slow as soon as it is.
func (w *world) times(rec *record, first madeOf) {
	dog := rec.watch()
	if dog == nil || first.spent <= dog.limit {
		return
	}
	rec.barked = true
	n := dog.line
	at := w.now.Add(dog.limit)
	n.at = at.UnixNano()
	w.later(at, func() { n.cell.book.ledger.write(&n) })
}

// compare asks the other side as well, as the shadow does once the user has an
// answer: see settle in package shadow.
func (w *world) compare(p *pairing, a *asked, control madeOf, end time.Time) {
	other, lane := migrations.Modern, &w.breakers[1]
	if p.control == migrations.Modern {
		other, lane = migrations.Legacy, &w.breakers[0]
	}
	if !lane.allows(end) {
		w.settled(p, shadow.Verdict{Outcome: compare.Dropped}, end.Add(time.Microsecond))
		return
	}
	asked := end.Add(time.Duration(1+w.rng.IntN(50)) * time.Millisecond)
	candidate := w.answer(a, other, asked)
	at := asked.Add(candidate.spent)
	w.later(at, func() {
		none, late := candidate.status == 0, candidate.class == evidence.ClassTimeout
		lane.report(!none, at)
		v := shadow.Verdict{
			ControlBad: control.status >= 500, NoAnswer: none,
			CandidateBad: none && (!late || 2*control.spent < silence) || candidate.status >= 500,
		}
		v.Restart = v.CandidateBad && (none || candidate.status >= 502 && candidate.status <= 504)
		switch {
		case late:
			v.Outcome = compare.TimedOut
		case none:
			v.Outcome = compare.Failed
		case control.status == candidate.status:
			v.Outcome = compare.Match
		default:
			v.Outcome = compare.Mismatch
		}
		w.settled(p, v, at)
	})
}

// settled tells what became of an observation, in the time of the world.
func (w *world) settled(p *pairing, v shadow.Verdict, at time.Time) {
	told := *p
	told.cell = &cell{book: w.scratch}
	told.settled(v)
	for _, n := range w.scratch.ledger.take(nil) {
		n.cell, n.at = p.cell, at.UnixNano()
		p.cell.book.ledger.write(&n)
	}
}
