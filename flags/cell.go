package flags

import (
	"net/http"
	"slices"

	"github.com/ficus-gateway/ficus/migrations"
)

// Cell returns the index in the plan of the first cell whose conditions all
// hold, or the number of cells for [migrations.Rest]. Like a targeting key, and
// unlike a cohort, a cell counts whoever states it: it chooses which split a
// request is held against, and never a stage.
func Cell(plan *migrations.Plan, r *http.Request) int {
	for i := range plan.Cells {
		fails := func(c migrations.Condition) bool { return !holds(c, r) }
		if when := plan.Cells[i].When; len(when) > 0 && !slices.ContainsFunc(when, fails) {
			return i
		}
	}
	return len(plan.Cells)
}
