package routes

import (
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

// comparison compiles what is compared, and by which rules.
func comparison(at spot, cc CompareConfig) migrations.Compare {
	out := migrations.Compare{
		Sample:  float64(valueOr(cc.Sample, defaultSample)),
		Timeout: valueOr(cc.Timeout, defaultCompareTimeout).std(),
		Skew:    valueOr(cc.Skew, defaultSkew).std(),
	}
	if out.Sample > 1 {
		at.key("sample").fail("write a percentage from 0% to 100%", "is more than 100%%")
	}
	if out.Timeout < time.Millisecond || out.Timeout > 10*time.Minute {
		at.key("timeout").fail("write a duration from 1ms to 10m, such as 10s", "is no time to wait for an answer")
	}
	for _, short := range [...]struct {
		key  string
		do   compare.Action
		list []string
	}{{"ignore", compare.Ignore, cc.Ignore}, {"unordered", compare.Unordered, cc.Unordered}, {"keep", compare.Keep, cc.Keep}} {
		for i, path := range short.list {
			rule := compare.Rule{Do: short.do, Path: path}
			if checkRule(at.key(short.key).index(i), rule) {
				out.Rules = append(out.Rules, rule)
			}
		}
	}
	for i, rc := range cc.Rules {
		item := at.key("rules").index(i)
		rule := compare.Rule{Do: compare.Action(rc.Do), Path: rc.Path, With: rc.With, Owner: rc.Owner}
		if rc.Until != "" {
			day, err := time.Parse(time.DateOnly, rc.Until)
			if err != nil {
				item.key("until").fail(`write a day as "2026-12-31"`, "%s is not a day", item.key("until").quote(rc.Until))
				continue
			}
			rule.Until = day.AddDate(0, 0, 1) // the day itself is in
		}
		if checkRule(item, rule) {
			out.Rules = append(out.Rules, rule)
		}
	}
	return out
}

// checkRule has one rule compiled; whether it has ended is asked later.
func checkRule(at spot, rule compare.Rule) bool {
	rule.Until = time.Time{}
	_, err := compare.CompileRules(compare.Definition{Rules: []compare.Rule{rule}}, time.Time{})
	if err == nil {
		return true
	}
	hint := `write a path such as "$.items[*].etag", header.NAME or cookie.NAME`
	switch rule.Do {
	case compare.Tolerance, compare.Round, compare.Equals:
		hint = `write {do: tolerance, path: $.total, with: "1%"}, {do: round, path: $.total, with: "2"} or {do: equals, path: $.name, with: "lower(a) == lower(b)"}`
	}
	text, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), string(rule.Do)+": "), "\n")
	at.follow(hint, "%s", text)
	return false
}
