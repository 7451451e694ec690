package gateway

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/gateway/upstream"
	"github.com/ficus-gateway/ficus/migrations"
)

// brokenJourney is told as the fallback of a request whose person was in the
// middle of something on the other side, which could not go on there.
const brokenJourney = telemetry.BrokenJourney

// travel returns the side for a request that the flag places on one, if its
// person is on a journey.
func (g *Gateway) travel(rec *record, placed migrations.Side) migrations.Side {
	rec.stay = g.assigner.Keep(&rec.input, &rec.assignment, placed)
	if rec.stay.Broken {
		rec.Fallback = brokenJourney
	}
	return rec.stay.Side
}

// answerer returns the side that has answered, which after a fallback is not
// the one that was chosen.
func (rec *record) answerer() migrations.Side {
	if rec.Upstream == rec.route.plan.From {
		return migrations.Legacy
	}
	return migrations.Modern
}

// journey returns the cookie that notes which side has answered a person; nil
// if the answer is nothing to come back to.
func (g *Gateway) journey(rec *record, r *http.Request, res *upstream.Response) *http.Cookie {
	if !rec.route.plan.Journeys || !rec.notes(r, res) {
		return nil
	}
	return g.assigner.JourneyCookie(&rec.input, rec.stay, rec.answerer(), rec.failedOver())
}

// notes reports whether a person may come back to an answer: to a page with a
// form or a redirect with a state, to what was made or has only been accepted,
// or to data with a token in it. Where writes have a side of their own, reads
// do not follow them, except to what that side is still at work on. What the
// monolith answered in place of a failing service is worth a change of side
// only where there may be a form in it.
func (rec *record) notes(r *http.Request, res *upstream.Response) bool {
	page := strings.HasPrefix(first(res.Header["Content-Type"]), "text/html")
	switch safe := rec.input.Safe; {
	case res.Status >= 500 || safe && res.Status >= 400:
		return false
	case !safe && !rec.route.plan.Follows() && rec.Stage != migrations.Complete:
		return res.Status == http.StatusAccepted
	case rec.failedOver():
		return !safe || page || res.Status >= 300
	}
	return r.Method != http.MethodOptions && r.Method != http.MethodTrace
}

// explainJourney says what a journey makes of the request.
func (rec *record) explainJourney(say func(string, ...any)) {
	switch s := rec.stay; {
	case rec.readBack:
		say("the %s side has just taken a write of this person, who reads there for %s", s.Side, rec.route.plan.Synced.MaxLag)
	case s.Kept():
		say("the person is on a journey on the %s side, and stays there until it is over", s.Side)
	case s.Broken:
		say("the person was on a journey on the %s side, which breaks it", s.On())
	}
}

// askInstead asks the service when the monolith cannot be reached for somebody
// who is kept there although the migration is complete: it may be gone by now.
func (g *Gateway) askInstead(ctx context.Context, rec *record, err error) (*upstream.Response, error) {
	var ue *upstream.Error
	if rec.Stage != migrations.Complete || !errors.As(err, &ue) || ue.Sent || ctx.Err() != nil {
		return nil, err
	}
	body, ok := rec.bodyAgain(false)
	if !ok {
		return nil, err
	}
	rec.Side, rec.Fallback, rec.outgoing.Body = migrations.Modern, brokenJourney, body
	return g.askFirst(ctx, rec, rec.route.modern, 0)
}

func found(status int) bool { return status < 400 }
func rest(status int) bool  { return status == http.StatusPartialContent }

// lives returns what the monolith should answer to a request for what the
// service does not have, although the person may have got it before a flip,
// from the monolith: a job that is asked about, an upload that goes on, the rest
// of a download. It is nil if the service's answer stands. So journeys hold for
// programs as well, which keep no cookies.
func (g *Gateway) lives(rec *record, r *http.Request, res *upstream.Response) want {
	if !g.mayLive(rec) {
		return nil
	}
	part := rec.input.Safe && r.Header["Range"] != nil
	switch res.Status {
	case http.StatusNotFound, http.StatusGone:
		return found
	case http.StatusRequestedRangeNotSatisfiable, http.StatusPreconditionFailed:
		if part {
			return rest
		}
	case http.StatusOK:
		if part && r.Header["If-Range"] != nil {
			return rest
		}
	}
	return nil
}

// mayLive reports whether the monolith may still know of what was begun there,
// although the service is asked.
func (g *Gateway) mayLive(rec *record) bool {
	completed := rec.Stage == migrations.Complete && rec.Side == migrations.Modern && rec.outgoing.Upgrade == "" &&
		rec.route.Fallback != nil && rec.route.plan.Data == migrations.DataShared
	return (completed || rec.fallsBack()) && g.assigner.Flipped(&rec.input)
}

// askWhereItLives asks the monolith for what the service does not have.
func (g *Gateway) askWhereItLives(ctx context.Context, rec *record, res *upstream.Response, better want) *upstream.Response {
	body, ok := rec.bodyAgain(true)
	if !ok || g.reserve.now.Add(1) > fallbacksAtOnce {
		if ok {
			g.reserve.now.Add(-1)
		}
		return res
	}
	defer g.reserve.now.Add(-1)
	rec.outgoing.Body = body
	other := g.askOther(ctx, rec, res, rec.route.legacy, better)
	if other != res {
		rec.observation.SetAside() // or the monolith would be compared with itself
	}
	return other
}
