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
	stages    [6]struct {
		stage   []string
		baggage [3][]string // by index of sidesTold
	} // by rank
}

// sidesTold are the values of Ficus-Side: few, so that an application may have them
// as a label of its metrics. A fallback has the side that was asked first.
var sidesTold = [3][]string{{toldLegacy}, {toldModern}, {toldOutside}}

// toldSide is the member of baggage that says the same.
const toldSide = ours + "side"

func announcementOf(migration string) *announcement {
	a := &announcement{migration: []string{migration}}
	for _, stage := range migrations.Stages {
		s := &a.stages[stage.Rank()]
		s.stage = []string{string(stage)}
		for i, side := range sidesTold {
			s.baggage[i] = []string{ours + migration + "=" + string(stage) + "," + toldSide + "=" + side[0]}
		}
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
	side := rec.toldSide()
	h["Ficus-Migration"], h["Ficus-Stage"], h["Ficus-Side"] = a.migration, s.stage, sidesTold[side]
	if len(h["Baggage"]) == 0 {
		h["Baggage"] = s.baggage[side]
		return
	}
	telemetry.AddBaggage(h, ours+a.migration[0], s.stage[0])
	telemetry.AddBaggage(h, toldSide, sidesTold[side][0])
}

// toldSide returns the index of sidesTold: the side of those only who are in the test.
func (rec *record) toldSide() int {
	switch {
	case rec.tripped || rec.standsFor()&placed == 0:
		return 2
	case rec.Side == migrations.Modern:
		return 1
	}
	return 0
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
