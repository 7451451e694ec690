package flags

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ficus-gateway/ficus/migrations"
)

func TestConditions(t *testing.T) {
	one := "1"
	r := httptest.NewRequest("GET", "/?beta=1&empty=&both=1&both=2", nil)
	r.Header = http.Header{"X-Staff": {"1"}, "X-Both": {"1", "2"}, "X-Empty": {""}, "Cookie": {"team=red; both=1; both=2"}}
	for name, c := range map[string]struct {
		when []migrations.Condition
		want bool
	}{
		"header is":           {[]migrations.Condition{{Header: "x-staff", Is: &one}}, true},
		"header in":           {[]migrations.Condition{{Header: "X-Staff", In: []string{"0", "1"}}}, true},
		"header not in":       {[]migrations.Condition{{Header: "X-Staff", In: []string{"0"}}}, false},
		"header present":      {[]migrations.Condition{{Header: "X-Empty"}}, true},
		"header absent":       {[]migrations.Condition{{Header: "X-None"}}, false},
		"cookie in":           {[]migrations.Condition{{Cookie: "team", In: []string{"red"}}}, true},
		"cookie absent":       {[]migrations.Condition{{Cookie: "te"}}, false},
		"query is":            {[]migrations.Condition{{Query: "beta", Is: &one}}, true},
		"query present":       {[]migrations.Condition{{Query: "empty"}}, true},
		"all must hold":       {[]migrations.Condition{{Query: "beta"}, {Header: "X-None"}}, false},
		"both hold":           {[]migrations.Condition{{Query: "beta"}, {Header: "X-Staff"}}, true},
		"no condition":        {nil, false},
		"empty condition":     {[]migrations.Condition{{}}, false},
		"header said twice":   {[]migrations.Condition{{Header: "X-Both", Is: &one}}, false},
		"cookie said twice":   {[]migrations.Condition{{Cookie: "both", Is: &one}}, false},
		"query said twice":    {[]migrations.Condition{{Query: "both", Is: &one}}, false},
		"twice, but both fit": {[]migrations.Condition{{Query: "both", In: []string{"1", "2"}}}, true},
	} {
		got := cohort(&migrations.Plan{Cohorts: []migrations.Cohort{{Name: "c", When: c.when}}}, r)
		if (got != nil) != c.want {
			t.Errorf("%s: %v, want %v", name, got != nil, c.want)
		}
	}
}

func TestTheFirstCohortCounts(t *testing.T) {
	r := httptest.NewRequest("GET", "/?beta", nil)
	when := []migrations.Condition{{Query: "beta"}}
	plan := &migrations.Plan{Cohorts: []migrations.Cohort{{Name: "no", When: []migrations.Condition{{Query: "x"}}}, {Name: "one", When: when}, {Name: "two", When: when}}}
	if got := cohort(plan, r); got == nil || got.Name != "one" {
		t.Errorf("cohort %+v", got)
	}
}
