package web

import (
	"fmt"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
)

// A health is how the service of a migration fares beside the monolith, in a
// word for the eye and a sentence for the reader. It decides nothing: the guard
// does, by its test.
type health struct {
	Word string // good, idle, watch, bad
	Text string
}

func healthOf(m dashboard.Migration, l, s measure, ups []dashboard.UpstreamStatus) health {
	for _, u := range ups {
		if u.Name != m.To || len(u.Endpoints) == 0 {
			continue
		}
		up := 0
		for _, e := range u.Endpoints {
			if e.Healthy {
				up++
			}
		}
		switch {
		case up == 0:
			return health{"bad", m.To + " does not answer"}
		case up < len(u.Endpoints):
			return health{"watch", fmt.Sprintf("%d of %d endpoints of %s answer", up, len(u.Endpoints), m.To)}
		}
	}
	const few = 20 // requests below which a share says nothing
	switch {
	case s.Requests == 0:
		return health{"idle", "nobody is on the service"}
	case s.Broken >= 5 && s.Requests >= few && s.Errors > 2*l.Errors+0.01:
		return health{"bad", fmt.Sprintf("%s errors, %s on the monolith", percent(s.Errors), percent(l.Errors))}
	case s.Broken > 0 && s.Errors > l.Errors:
		return health{"watch", fmt.Sprintf("%s errors, %s on the monolith", percent(s.Errors), percent(l.Errors))}
	case s.Requests >= few && l.Requests >= few && s.P99 > 2*l.P99:
		return health{"watch", fmt.Sprintf("p99 %s, %s on the monolith", millis(s.P99), millis(l.P99))}
	case s.Broken > 0:
		return health{"good", fmt.Sprintf("%s errors, no more than the monolith", percent(s.Errors))}
	}
	return health{"good", "no errors in the last minute"}
}
