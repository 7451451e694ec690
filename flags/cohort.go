package flags

import (
	"net/http"
	"slices"

	"github.com/ficus-gateway/ficus/migrations"
)

// cohort returns the first cohort of the plan whose conditions all hold, nil
// if there is none. Whether it counts is for [decide] to say.
func cohort(plan *migrations.Plan, r *http.Request) *migrations.Cohort {
	for i := range plan.Cohorts {
		c := &plan.Cohorts[i]
		fails := func(cond migrations.Condition) bool { return !holds(cond, r) }
		if len(c.When) > 0 && !slices.ContainsFunc(c.When, fails) {
			return c
		}
	}
	return nil
}

// holds reports whether a condition holds. Where a fact is stated several
// times every statement must fit, since a proxy may append to what a client
// sent: a client can talk itself out of a cohort, but not into one.
func holds(c migrations.Condition, r *http.Request) bool {
	stated := false
	fits := func(value string) bool {
		stated = true
		switch {
		case c.Is != nil:
			return value == *c.Is
		case len(c.In) > 0:
			return slices.Contains(c.In, value)
		}
		return true
	}
	switch {
	case c.Header != "":
		for _, value := range headerValues(r, c.Header) {
			if !fits(value) {
				return false
			}
		}
	case c.Cookie != "":
		for name, value := range cookies(r.Header) {
			if name == c.Cookie && !fits(value) {
				return false
			}
		}
	case c.Query != "":
		for value := range queries(r.URL.RawQuery, c.Query) {
			if !fits(value) {
				return false
			}
		}
	}
	return stated
}
