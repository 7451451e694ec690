package gateway

import (
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
	failed      // answered 5xx or the like in gRPC, not at all, or not to the end
	timedOut    // the upstream's time was up
	timer       // no request, but the timer of one: it is slow
	slow        // it was slow, in one of the tail
	told        // its timer has told that already
	harmed      // the user got an error from the service, or none of an answer
	healed      // the monolith answered in the service's stead
	broke       // it broke a row of failures
	inVain      // the service failed, and so did the monolith: it speaks against neither, and is not clean

	reported    // by the application, of a metric of its own, which went badly
	tooLate     // fallback gave the service up before it had begun to answer
	restarting  // the service failed as one does that is being restarted
	compared    // a comparison; its outcome stands beside the facts
	serviceBad  // of a comparison: the service failed
	monolithBad // of a comparison: the monolith failed
	fellBack    // of a comparison: the monolith answered in the service's place
	blameless   // of a comparison: a difference is not the service's: the monolith failed, or differs from itself
)

// bad reports whether it is a bad event of any kind, or one in which both sides
// failed.
func (f facts) bad() bool { return f&(failed|timedOut|slow|told|inVain) != 0 }

// failure reports whether a side did not answer well, however fast.
func (f facts) failure() bool { return f&(failed|timedOut|inVain) != 0 }

func (f facts) side() evidence.Side {
	if f&onModern != 0 {
		return evidence.Modern
	}
	return evidence.Legacy
}

// facts says what the request says; 0 if it says nothing: its client did not
// finish it, went away or sent what no side could answer, or a trip turned it
// around.
func (rec *record) facts() facts {
	f, _ := rec.says()
	return f
}

// says returns the facts, and in which latencies the request was slow.
func (rec *record) says() (f facts, slowIn uint8) {
	if rec.cell == nil || rec.saysNothing() {
		return 0, 0
	}
	f = served | rec.sideFact() | rec.standsFor()
	if rec.barked {
		f |= told
	}
	if rec.bothFailed {
		return f | inVain, 0
	}
	slowIn = rec.slowIn()
	if rec.late || slowIn&tail != 0 {
		f |= slow
	}
	switch {
	case rec.class == evidence.ClassTimeout:
		f |= timedOut
	case rec.class.Failure():
		f |= failed
	}
	if f&onModern == 0 {
		return f, slowIn
	}
	switch {
	case rec.healed:
		f |= healed
	case rec.failedOver():
		f |= harmed | broke
	case rec.class.Failure():
		f |= harmed
	default:
		f |= broke
	}
	return f, slowIn
}

// saysNothing reports whether the request says nothing of the side that was
// asked first, if one was.
func (rec *record) saysNothing() bool {
	return rec.tripped || !rec.asked || rec.excused || rec.ErrKind != "" && blames(rec.ErrKind)
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
