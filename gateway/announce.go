package gateway

import (
	"net/http"
	"strings"

	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/migrations"
)

// ours is how the members of baggage begin that are Ficus's to set.
const ours = "ficus."

// An announcement is what an upstream is told of the decision: as fields for
// itself, and as baggage, which it hands on to those whom it asks. It is
// compiled with the route, so that telling costs no request an allocation.
type announcement struct {
	migration []string
	stages    [6]struct{ stage, baggage []string } // by rank
}

func announcementOf(migration string) *announcement {
	a := &announcement{migration: []string{migration}}
	for _, stage := range migrations.Stages {
		s := &a.stages[stage.Rank()]
		s.stage, s.baggage = []string{string(stage)}, []string{ours + migration + "=" + string(stage)}
	}
	return a
}

// announce tells the upstream of the decision. What a client says in Ficus's
// name goes no further (law 11).
func (rec *record) announce(h http.Header) {
	if len(h["Baggage"]) > 0 && !rec.peer.trusted {
		stripBaggage(h)
	}
	a := rec.route.announcement
	if a == nil {
		return
	}
	s := &a.stages[rec.Stage.Rank()]
	h["Ficus-Migration"], h["Ficus-Stage"] = a.migration, s.stage
	if len(h["Baggage"]) == 0 {
		h["Baggage"] = s.baggage
		return
	}
	telemetry.AddBaggage(h, ours+a.migration[0], s.stage[0])
}

// stripBaggage takes out the members that are Ficus's to set.
func stripBaggage(h http.Header) {
	var kept []string
	found := false
	for _, line := range h["Baggage"] {
		for member := range strings.SplitSeq(line, ",") {
			if strings.HasPrefix(strings.TrimLeft(member, " \t"), ours) {
				found = true
			} else {
				kept = append(kept, member)
			}
		}
	}
	switch {
	case !found:
	case len(kept) == 0:
		delete(h, "Baggage")
	default:
		h["Baggage"] = []string{strings.Join(kept, ",")}
	}
}
