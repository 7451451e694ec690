package routes

import (
	"github.com/ficus-gateway/ficus/migrations"
	"golang.org/x/net/http/httpguts"
)

const conditionHint = "write when: {header: X-Staff, is: \"1\"}, with one of header, cookie and query"

// cohorts compiles the cohorts of a migration.
func (c *compiler) cohorts(at spot, list []CohortConfig) []migrations.Cohort {
	var out []migrations.Cohort
	names := map[string]bool{}
	for i, cc := range list {
		item := at.index(i)
		switch {
		case cc.Name == "":
			item.follow("write {name: staff, when: {header: X-Staff, is: \"1\"}, stage: live}", "has no name")
		case names[cc.Name]:
			item.key("name").fail("give each cohort a name of its own", "there is a cohort %s already", item.key("name").quote(cc.Name))
		case !nameForm.MatchString(cc.Name):
			item.key("name").fail(nameHint, "%s cannot be the name of a cohort", item.key("name").quote(cc.Name))
		}
		names[cc.Name] = true
		if cc.Stage == "" {
			item.follow("write stage: live", "has no stage")
		}
		if len(cc.When) == 0 {
			item.follow(conditionHint, "does not say when")
		}
		cohort := migrations.Cohort{Name: cc.Name, Stage: migrations.Stage(cc.Stage)}
		for j, w := range cc.When {
			cohort.When = append(cohort.When, condition(item.key("when").index(j), w))
		}
		out = append(out, cohort)
	}
	if len(out) > 0 && len(c.main.TrustedProxies) == 0 {
		at.warn("name the proxies that set these facts in trusted_proxies", "cohorts count only for requests from a trusted proxy, and there is none")
	}
	return out
}

func condition(at spot, w ConditionConfig) migrations.Condition {
	named := 0
	for key, name := range map[string]string{"header": w.Header, "cookie": w.Cookie, "query": w.Query} {
		if name == "" {
			continue
		}
		named++
		if key != "query" && !httpguts.ValidHeaderFieldName(name) {
			at.key(key).fail("a name has letters, digits and dashes", "%s is not the name of a %s", at.key(key).quote(name), key)
		}
	}
	switch {
	case named == 0:
		at.follow(conditionHint, "looks at nothing")
	case named > 1:
		at.fail("write one condition for each: when: [{header: ...}, {cookie: ...}]", "looks at %d facts at once", named)
	case w.Is != nil && len(w.In) > 0:
		at.fail("write in: [...] with all values", "has both is and in")
	}
	return migrations.Condition{Header: w.Header, Cookie: w.Cookie, Query: w.Query, Is: w.Is, In: w.In}
}
