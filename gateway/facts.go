package gateway

import (
	"time"

	"github.com/ficus-gateway/ficus/gateway/upstream"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// facts are what one request says about the side that was asked first.
type facts uint32

const (
	served   facts = 1 << iota // a request, not a comparison nor a timer
	onModern                   // the service was asked first
	placed                     // by the hash of its key and the split: it is in the test
	byCohort                   // by a rule
	keyless
	arrived     // somebody has come, and nothing is known yet of what becomes of it
	journeying  // placed by the hash as well, but a journey keeps it out of the test
	givenModern // of these: the hash gives the service
	failed      // answered 5xx, or not at all
	timedOut    // the upstream's time was up
	slow        // its answer had not begun by τ
	told        // that has been counted already, when τ passed
	harmed      // the user got an error from the service, or none of an answer
	healed      // the monolith answered in the service's stead
	broke       // it broke a row of failures
	gaveUp      // its client went away after it had waited long for a first byte

	reported // by the application, of a metric of its own, which went badly

	compared       // a comparison; its outcome stands beside the facts
	candidateAlone // of a probe: both answers of the control agreed, and the candidate's did not
	controlAlone   // of a probe: the candidate agreed with one answer of the control, which disagreed with itself
	blameless      // the service is not to blame: a probe, which is weighed by itself, or the monolith failed
)

// bad reports whether it is a bad event of any kind.
func (f facts) bad() bool { return f&(failed|timedOut|slow|told) != 0 }

func (f facts) side() evidence.Side {
	if f&onModern != 0 {
		return evidence.Modern
	}
	return evidence.Legacy
}

// patience is how long a client must have waited for a first byte for its going
// away to count against the side that kept it waiting.
const patience = time.Second

// facts says what the request says; 0 if it says nothing: its client went away
// or sent what no side could answer, or a trip turned it around.
func (rec *record) facts() facts {
	if rec.tripped || rec.cell == nil {
		return 0
	}
	f := served | rec.sideFact()
	switch kind := upstream.Kind(rec.ErrKind); {
	case rec.failedOver() && rec.late:
		f |= slow // its own limit is no time-out of the service
	case rec.failedOver() && isTimeoutKind(upstream.Kind(rec.Fallback)), isTimeoutKind(kind):
		f |= timedOut
	case rec.failedOver():
		f |= failed
	case kind == kindClientGone && rec.took == 0 && rec.Total >= patience:
		// Whoever is kept waiting goes away. It says nothing of the budget, since
		// people leave for reasons of their own, but on both sides alike.
		return f | timedOut | gaveUp | rec.standsFor()
	case rec.ErrKind != "" && blames(rec.ErrKind):
		return 0
	case rec.ErrKind != "" || rec.Status >= 500:
		f |= failed
	}
	switch limit := rec.limit(); {
	case rec.barked:
		f = f&^slow | told
	case limit > 0 && rec.took > limit:
		f |= slow
	}
	f |= rec.standsFor()
	if f&onModern == 0 {
		return f
	}
	well := rec.Status < 500 && (rec.ErrKind == "" || blames(rec.ErrKind))
	switch {
	case !well:
		f |= harmed
		if rec.failedOver() {
			f |= broke
		}
	case rec.failedOver():
		f |= healed
	default:
		f |= broke
	}
	return f
}

func isTimeoutKind(k upstream.Kind) bool {
	return k == upstream.KindTimeout || k == upstream.KindConnectTimeout
}

// blames reports whether a kind of error is the client's.
func blames(kind string) bool {
	switch kind {
	case kindClientGone, "client_silent", "bad_body", "bad_request", "too_large":
		return true
	}
	return false
}

// standsFor says for whom the request speaks: in the test are only those whose
// side came from the hash of their key, and could have been either.
func (rec *record) standsFor() facts {
	a := &rec.assignment
	switch {
	case a.Cohort != "":
		return byCohort
	case a.Key == "":
		return keyless
	case !a.Placed || rec.route.plan.Place(migrations.Live, rec.input.Safe) != migrations.Modern:
		return 0
	case !rec.stay.Outside:
		return placed
	case rec.stay.Placed == migrations.Modern:
		return journeying | givenModern
	}
	return journeying
}
