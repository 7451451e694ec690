package flagd

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/ficus-gateway/ficus/routes"
)

func TestUnusableDefinitionIsRefusedWithItsPlaceAndARemedy(t *testing.T) {
	for text, want := range map[string]string{
		``:                 `flags.json:1:1: the file is empty`,
		`{"flags": {`:      `flags.json:1:12: /flags: is not JSON: the file is cut off`,
		`{"flags": {}} {}`: `flags.json:1:`,
		`[]`:               `flags.json:1:1: the definition is an array, not an object; write {"flags": {}}`,
		`{}`:               `flags.json:1:1: there are no flags; write {"flags": {}}`,
		`{"flags": []}`:    `flags.json:1:11: /flags: is an array, not an object; write flags by key`,
		"{\n  \"flags\": {\n    \"a/b\": true\n  }\n}":                                                `flags.json:3:12: /flags/a~1b: the flag is a boolean, not an object; write its state, variants and defaultVariant`,
		`{"flags": {"a": {"state": "ENABLED"}}}`:                                                      `flags.json:1:17: /flags/a: the flag has no variants; write its variants by name`,
		`{"flags": {"a": {"state": "ENABLED", "variants": {}}}}`:                                      `flags.json:1:50: /flags/a/variants: is an object, not an object with at least one variant; write values by name`,
		`{"flags": {"a": {"state": "ENABLED", "variants": {"x": 1}, "defaultVariant": "y"}}}`:         `flags.json:1:78: /flags/a/defaultVariant: there is no variant "y"; name one of "x"`,
		`{"flags": {"a": {"state": "ENABLED", "variants": {"x": 1}, "defaultVariant": 1}}}`:           `flags.json:1:78: /flags/a/defaultVariant: is a number, not a string; name one of the variants, or null for the caller's default`,
		`{"flags": {}, "$evaluators": []}`:                                                            `flags.json:1:30: /$evaluators: is an array, not an object; write rules by name`,
		`{"flags": {"a": ` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + `}}`:               `flags.json:1:215: /flags/a/0`,
		`{"flags": {"a": {"variants": {"x": 1}, "defaultVariant": "y"}, "b": {"variants": {"x":1}}}}`: `flags.json:1:58: /flags/a/defaultVariant`,
		"{\"flags\": \xff}": `flags.json:1:11: /flags: is not JSON`,
	} {
		d, err := Parse("flags.json", []byte(text))
		var ps routes.Problems
		if d != nil || !errors.As(err, &ps) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.80s\ngives   %v\ninstead %s", text, err, want)
		}
	}
}

func TestFlagThatCannotWorkIsAWarning(t *testing.T) {
	flag := func(rest string) string {
		return "{\"flags\": {\"a\":\n{\"state\": \"ENABLED\", \"variants\": {\"x\": 1}, \"defaultVariant\": \"x\"" + rest + "}}}"
	}
	rule := func(rule string) string { return flag(", \"targeting\":\n" + rule) }
	for text, want := range map[string]string{
		rule(`{"=": [1, 1]}`):                                                           `flags.json:3:1: /flags/a/targeting: there is no operation "="; flagd knows ! !! != !== % *`,
		rule(`{"if": [{"$ref": "no"}, "x"]}`):                                           `flags.json:3:9: /flags/a/targeting/if/0/$ref: there is no evaluator "no"; define it under $evaluators, or correct the name`,
		rule(`{"$ref": 1}`):                                                             `flags.json:3:1: /flags/a/targeting/$ref: $ref is a string; name one of $evaluators`,
		rule(`{"==": [1, 1], "<": [1, 2]}`):                                             `flags.json:3:1: /flags/a/targeting: has 2 members, so it is data and no operation; write one operation per object`,
		rule(`{"sem_ver": ["1.0.0", "=>", "1.0.0"]}`):                                   `flags.json:3:23: /flags/a/targeting/sem_ver/1: is no operator of sem_ver, so the result is always null; write = != < <= > >= ^ or ~`,
		rule(`{"sem_ver": ["1.0.0", "=", "one"]}`):                                      `flags.json:3:28: /flags/a/targeting/sem_ver/2: is no version, so the result is always null; write it as 1.2.3`,
		rule(`{"sem_ver": ["1.0.0", "="]}`):                                             `flags.json:3:1: /flags/a/targeting/sem_ver: sem_ver has three arguments, not 2`,
		rule(`{"starts_with": "a"}`):                                                    `flags.json:3:1: /flags/a/targeting/starts_with: starts_with has two arguments, not 1, so it is always null; write [text, part]`,
		rule(`{"fractional": [["x", 0.5]]}`):                                            `flags.json:3:1: /flags/a/targeting/fractional: these portions cannot be shared out`,
		flag(`, "owner": "me"`):                                                         `flags.json:2:76: /flags/a/owner: flagd ignores it; leave it out`,
		flag(`, "metadata": {"deep": {}}`):                                              `flags.json:2:88: /flags/a/metadata/deep: is an object, and ignored; write a string, number or boolean`,
		`{"flags": {"a": {"state": "disabled", "variants": {"x": 1}}}}`:                 `flags.json:1:27: /flags/a/state: is neither ENABLED nor DISABLED, so the flag is enabled`,
		`{"flags": {"a": {"variants": {"x": 1}}}}`:                                      `flags.json:1:17: /flags/a: the flag has no state, so it is enabled`,
		`{"flags": {"a": {"state": "ENABLED", "variants": {"x": 1, "y": "1"}}}}`:        `flags.json:1:64: /flags/a/variants/y: is a string, and the variants before it are not; give all variants of a flag one type`,
		`{"flags": {"a": {"state": "ENABLED", "variants": {"x": null}}}}`:               `flags.json:1:56: /flags/a/variants/x: is null, which flagd gives to nobody`,
		`{"flags": {"a": {"state": "ENABLED", "variants": {"x": 1e999}}}}`:              `flags.json:1:56: /flags/a/variants/x: is too large a number`,
		`{"flags": {}, "evaluators": {}}`:                                               `flags.json:1:29: /evaluators: flagd ignores it`,
		`{"flags": {}, "$evaluators": {"unused": {"nope": 1}}}`:                         `flags.json:1:41: /$evaluators/unused: there is no operation "nope"`,
		`{"flags": {}, "$evaluators": {"a": {"$ref": "b"}, "b": {"!": {"$ref": "a"}}}}`: `flags.json:1:62: /$evaluators/b/!/$ref: the evaluator "a" refers to itself`,
	} {
		d, err := Parse("flags.json", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if !strings.HasPrefix(d.Warnings().Error(), want) || len(d.Warnings()) != 1 {
			t.Errorf("%s\nwarns   %v\ninstead %s", text, d.Warnings(), want)
		}
	}
	if d := parse(t, rollout); len(d.Warnings()) > 0 {
		t.Errorf("a good definition warns: %v", d.Warnings())
	}
}

// As with flagd, an operation that does not exist fails where it is reached.
func TestRuleFailsOnlyWhereItIsBroken(t *testing.T) {
	d := parse(t, `{"flags": {"a": {"state": "ENABLED", "variants": {"x": 1, "y": 2}, "defaultVariant": "x",
		"targeting": {"if": [{"==": [{"var": "plan"}, "new"]}, {"rollout": [1, 2, "y"]}, "y"]}}}}`)
	if e := d.Evaluate("a", attributes{"plan": "old"}); e.Variant != "y" || e.Reason != openfeature.TargetingMatchReason {
		t.Errorf("elsewhere it is %+v", e)
	}
	e := d.Evaluate("a", attributes{"plan": "new"})
	if e.Code != openfeature.ParseErrorCode || e.Value != nil || !strings.HasPrefix(e.Message, `flag "a": flags.json:2:58: /flags/a/targeting/if/1: there is no operation "rollout"; flagd knows`) {
		t.Errorf("there it is %+v", e)
	}
}

func TestErrorsOfAnEvaluationSayWhatToDo(t *testing.T) {
	d := parse(t, `{"flags": {"a": {"state": "ENABLED", "variants": {"x": 1, "y": 2}, "targeting": {"var": "v"}}}}`)
	for v, want := range map[any]string{
		"z":                 `flag "a": the rule names the variant "z"; it has "x", "y"`,
		1.5:                 `flag "a": the rule names the variant "1.5"; it has "x", "y"`,
		[2]string{"a", "b"}: `flag "a": the rule gives an array or object; it must name one of "x", "y"`,
	} {
		if e := d.Evaluate("a", attributes{"v": v}); e.Message != want || e.Code != openfeature.GeneralCode {
			t.Errorf("%v: %s %s, want %s", v, e.Code, e.Message, want)
		}
	}
	if e := d.Evaluate("b", nil); e.Message != `no flag "b" is defined` {
		t.Error(e.Message)
	}
}

func TestChangedNamesTheFlagsWhoseAnswersMayDiffer(t *testing.T) {
	text := func(a, b, evaluator, metadata string) *Definition {
		return parse(t, fmt.Sprintf(`{"flags": {
			"a": {"state": "ENABLED", "variants": {"x": %s}, "targeting": {"if": [{"$ref": "outer"}, "x"]}},
			"b": {"state": "ENABLED", "variants": {"x": %s}}
		}, "$evaluators": {"outer": {"!": {"$ref": "inner"}}, "inner": %s, "other": 1}, "metadata": {%s}}`, a, b, evaluator, metadata))
	}
	old := text("1", "1", "true", "")
	for _, c := range []struct {
		name string
		next *Definition
		want []string
	}{
		{"nothing", text("1", "1", "true", ""), nil},
		{"blank space", text(" 1\n", "1", " true ", ""), nil},
		{"one", text("1", "2", "true", ""), []string{"b"}},
		{"an evaluator", text("1", "1", "false", ""), []string{"a"}},
		{"metadata", text("1", "1", "true", `"v": 2`), []string{"a", "b"}},
		{"gone and new", parse(t, `{"flags": {"c": {"state": "ENABLED", "variants": {"x": 1}}}}`), []string{"a", "b", "c"}},
	} {
		if got := c.next.Changed(old); !slices.Equal(got, c.want) {
			t.Errorf("%s: changed %q, want %q", c.name, got, c.want)
		}
	}
	if got := old.Changed(nil); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("at first changed %q", got)
	}
	if old.Hash() != text("1", "1", "true", "").Hash() || old.Hash() == text("1", "2", "true", "").Hash() || len(old.Hash()) != 64 {
		t.Error("the hash is not that of the text")
	}
}

func TestOfARepeatedNameTheLastCounts(t *testing.T) {
	d := parse(t, `{"flags": {"a": {"state": "ENABLED", "variants": {"x": 1}}, "a": {"state": "ENABLED", "variants": {"x": 2, "x": 3}, "defaultVariant": "x"}}}`)
	if e := d.Evaluate("a", nil); e.Value != 3.0 {
		t.Errorf("value %v", e.Value)
	}
}

// A chain of references, or a doubling one, ends before memory does.
func TestReferencesAreBounded(t *testing.T) {
	var chain, tower strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&chain, `"e%d": {"!": {"$ref": "e%d"}}, `, i, i+1)
		fmt.Fprintf(&tower, `"e%d": {"and": [{"$ref": "e%d"}, {"$ref": "e%d"}]}, `, i, min(i+1, 30), min(i+1, 30))
	}
	for name, evaluators := range map[string]string{"chain": chain.String() + `"e2000": true`, "tower": strings.Replace(tower.String(), `"e30": {"and": [{"$ref": "e30"}, {"$ref": "e30"}]}`, `"e30": {"var": "x"}`, 1) + `"last": 1`} {
		d := parse(t, `{"flags": {"a": {"state": "ENABLED", "variants": {"x": 1}, "targeting": {"$ref": "e0"}}}, "$evaluators": {`+evaluators+`}}`)
		if e := d.Evaluate("a", nil); e.Code != openfeature.ParseErrorCode {
			t.Errorf("%s: %+v", name, e)
		}
	}
}
