package web

import (
	"slices"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// monoliths returns the upstreams that are being taken apart: those that a
// migration moves away from, and those that get what nobody else does.
func monoliths(t *routes.Table) (names []string) {
	for _, p := range t.Plans {
		names = append(names, p.From)
	}
	for _, r := range t.Routes {
		if r.Match.Path == "/*" && r.Upstream != "" {
			names = append(names, r.Upstream)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// takenRoutes returns how many routes lead to services, those of a migration by
// the share that is there, and how many there are.
func takenRoutes(t *routes.Table, s migrations.State) (taken float64, all int) {
	old := monoliths(t)
	for _, r := range t.Routes {
		all++
		switch {
		case r.Migration != "":
			taken += modernShare(s.Migrations[r.Migration])
		case !slices.Contains(old, r.Upstream):
			taken++
		}
	}
	return taken, all
}

// modernShare returns the share of the buckets that is on the service; with
// cells, the mean of theirs.
func modernShare(m migrations.Migration) float64 {
	sum, names := 0, m.CellNames()
	for _, name := range names {
		sum += m.Course(name).Split.Modern()
	}
	return float64(sum) / float64(len(names)) / migrations.Buckets
}
