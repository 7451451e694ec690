package flagd

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// rules draws a rule, often one that makes sense.
func rules(t *rapid.T, depth int) any {
	if depth == 0 || rapid.IntRange(0, 4).Draw(t, "leaf") == 0 {
		return leaf(t)
	}
	name := rapid.SampledFrom(strings.Fields(operatorNames+" $ref fractional fractional if if nonsense")).Draw(t, "name")
	sub := func() any { return rules(t, depth-1) }
	switch name {
	case "$ref":
		return map[string]any{name: rapid.SampledFrom([]any{"known", "deep", "nowhere"}).Draw(t, "ref")}
	case "sem_ver":
		versions := rapid.SampledFrom([]any{"1.2.3", "v1.2", "2", "1.2.3-rc.1", "x", 1.2, map[string]any{"var": "version"}})
		return map[string]any{name: []any{versions.Draw(t, "left"), rapid.SampledFrom([]any{"=", "!=", "<", "<=", ">", ">=", "^", "~", "=="}).Draw(t, "relation"), versions.Draw(t, "right")}}
	case "fractional":
		var args []any
		if rapid.Bool().Draw(t, "seed") {
			args = append(args, sub())
		}
		for range rapid.IntRange(0, 3).Draw(t, "portions") {
			portion := []any{rapid.SampledFrom([]any{"a", "b", "c", true, nil, 3.0, map[string]any{"var": "name"}}).Draw(t, "variant")}
			if rapid.Bool().Draw(t, "weighted") {
				portion = append(portion, rapid.SampledFrom([]any{0.0, 1.0, 50.0, -1.0, 2147483647.0, 0.5, nil, "1", map[string]any{"var": "n"}}).Draw(t, "weight"))
			}
			args = append(args, portion)
		}
		return map[string]any{name: args}
	case "nonsense":
		if rapid.IntRange(0, 9).Draw(t, "really") > 0 {
			return leaf(t)
		}
	}
	if rapid.IntRange(0, 5).Draw(t, "single") == 0 {
		return map[string]any{name: sub()}
	}
	args := []any{}
	for range rapid.IntRange(0, 4).Draw(t, "args") {
		args = append(args, sub())
	}
	return map[string]any{name: args}
}

func leaf(t *rapid.T) any {
	return rapid.SampledFrom([]any{
		nil, true, false, 0.0, 1.0, -1.5, 2.0, 1e21, "", "0", "1", "2.0", " 3 ", "abc", "é€x", "a", "b",
		[]any{}, []any{1.0, "a", nil}, []any{"a", "b", "c"}, []any{[]any{1.0}, map[string]any{"n": 2.0}},
		map[string]any{}, map[string]any{"x": 1.0, "y": 2.0},
		map[string]any{"var": ""}, map[string]any{"var": "n"}, map[string]any{"var": "name"}, map[string]any{"var": "list"}, map[string]any{"var": "user.name"},
		map[string]any{"var": "list.1"}, map[string]any{"var": []any{"gone", "a"}}, map[string]any{"var": "objects"}, map[string]any{"var": "current"}, map[string]any{"var": "accumulator"},
		map[string]any{"var": "$flagd.flagKey"}, map[string]any{"var": "$flagd.timestamp"}, map[string]any{"var": "$flagd"}, map[string]any{"var": "targetingKey"},
	}).Draw(t, "leaf")
}

func TestCompiledRulesGiveWhatAnInterpreterGives(t *testing.T) {
	now := time.Unix(1_750_000_000, 0)
	evaluators := map[string]any{
		"known": map[string]any{"==": []any{map[string]any{"var": "name"}, "abc"}},
		"deep":  map[string]any{"if": []any{map[string]any{"$ref": "known"}, "a", map[string]any{"var": "n"}}},
	}
	worked := 0
	rapid.Check(t, func(t *rapid.T) {
		context := map[string]any{
			"targetingKey": rapid.SampledFrom([]any{"4711", "", nil, 7.0, "jon@company.com"}).Draw(t, "key"),
			"n":            rapid.SampledFrom([]any{nil, 0.0, 1.0, 42.0, -3.0, "7"}).Draw(t, "n"),
			"name":         rapid.SampledFrom([]any{nil, "", "abc", "a", "b"}).Draw(t, "name"),
			"version":      rapid.SampledFrom([]any{nil, "1.2.3", 2.0}).Draw(t, "version"),
			"user":         map[string]any{"name": "someone"},
			"list":         []any{1.0, 2.0, "a", nil, true},
			"objects":      []any{map[string]any{"n": 1.0}, map[string]any{"n": 2.0, "targetingKey": "inner"}},
		}
		rule := rules(t, 4)
		text, err := json.Marshal(map[string]any{
			"flags":       map[string]any{"f": map[string]any{"state": "ENABLED", "variants": map[string]any{"a": "a", "b": "b"}, "defaultVariant": "a", "targeting": rule}},
			"$evaluators": evaluators,
		})
		if err != nil {
			t.Fatal(err)
		}
		d, err := Parse("flags.json", text)
		if err != nil {
			t.Fatal(err)
		}
		f := d.flags["f"]
		if f.rule.eval == nil {
			return
		}
		var got any
		got, failed := f.run(context, nil, func() time.Time { return now })
		want, err := naive{"f", now.Unix(), context, evaluators}.apply(rule, context)
		if (failed != nil) != (err != nil) {
			t.Fatalf("%s\nfails: %v, the interpreter %v", text, failed, err)
		}
		if err == nil && fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", want) {
			t.Fatalf("%s\nwith %v\ngives %#v, the interpreter %#v", text, context, got, want)
		}
		if err == nil && want != nil {
			worked++
		}
	})
	if worked < 20 {
		t.Errorf("only %d rules gave anything", worked)
	}
}
