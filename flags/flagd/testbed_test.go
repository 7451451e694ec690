package flagd

import (
	"context"
	"math"
	"reflect"
	"testing"

	"github.com/open-feature/go-sdk/openfeature"
)

// testbed has flags like those that flagd's public test bed (v3, with
// fractional v2) asks about.
const testbed = `{
  "$schema": "https://flagd.dev/schema/v0/flags.json",
  "flags": {
    "bool":     {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
    "text":     {"state": "ENABLED", "variants": {"greeting": "hi", "parting": "bye"}, "defaultVariant": "greeting"},
    "int":      {"state": "ENABLED", "variants": {"one": 1, "ten": 10}, "defaultVariant": "ten"},
    "float":    {"state": "ENABLED", "variants": {"tenth": 0.1, "half": 0.5}, "defaultVariant": "half"},
    "object":   {"state": "ENABLED", "variants": {"empty": {}, "full": {"showImages": true, "title": "Pics", "perPage": 100}}, "defaultVariant": "full"},
    "int32":    {"state": "ENABLED", "variants": {"one": 1, "max": 2147483647}, "defaultVariant": "max"},
    "int53":    {"state": "ENABLED", "variants": {"one": 1, "max": 9007199254740991}, "defaultVariant": "max"},
    "whole":    {"state": "ENABLED", "variants": {"tenth": 0.1, "ten": 10.0}, "defaultVariant": "ten"},

    "zero-bool":   {"state": "ENABLED", "variants": {"zero": false, "more": true}, "defaultVariant": "zero"},
    "zero-text":   {"state": "ENABLED", "variants": {"zero": "", "more": "s"}, "defaultVariant": "zero"},
    "zero-int":    {"state": "ENABLED", "variants": {"zero": 0, "more": 1}, "defaultVariant": "zero"},
    "zero-float":  {"state": "ENABLED", "variants": {"zero": 0.0, "more": 1.0}, "defaultVariant": "zero"},
    "zero-object": {"state": "ENABLED", "variants": {"zero": {}, "more": {"a": 1}}, "defaultVariant": "zero"},
    "targeted-zero-bool":  {"state": "ENABLED", "variants": {"zero": false, "more": true}, "defaultVariant": "zero", "targeting": {"if": [{"$ref": "ballmer"}, "zero"]}},
    "targeted-zero-text":  {"state": "ENABLED", "variants": {"zero": "", "more": "s"}, "defaultVariant": "zero", "targeting": {"if": [{"$ref": "ballmer"}, "zero"]}},
    "targeted-zero-int":   {"state": "ENABLED", "variants": {"zero": 0, "more": 1}, "defaultVariant": "zero", "targeting": {"if": [{"$ref": "ballmer"}, "zero"]}},
    "targeted-zero-float": {"state": "ENABLED", "variants": {"zero": 0.0, "more": 1.0}, "defaultVariant": "zero", "targeting": {"if": [{"$ref": "ballmer"}, "zero"]}},

    "disabled-bool":   {"state": "DISABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
    "disabled-text":   {"state": "DISABLED", "variants": {"a": "hi"}, "defaultVariant": "a"},
    "disabled-int":    {"state": "DISABLED", "variants": {"a": 10}, "defaultVariant": "a"},
    "disabled-float":  {"state": "DISABLED", "variants": {"a": 0.5}, "defaultVariant": "a"},
    "disabled-object": {"state": "DISABLED", "variants": {"a": {"b": 1}}, "defaultVariant": "a"},

    "null-default": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": null},
    "no-default":   {"state": "ENABLED", "variants": {"small": 10, "big": 1000}},
    "no-default-null-rule": {"state": "ENABLED", "variants": {"normal": "CFO", "special": "CEO"}, "targeting": {"if": [{"==": ["jobs@orange.com", {"var": ["email"]}]}, "special", null]}},
    "no-default-no-else":   {"state": "ENABLED", "variants": {"normal": "CFO", "special": "CEO"}, "targeting": {"if": [{"==": ["jobs@orange.com", {"var": ["email"]}]}, "special"]}},

    "ref":       {"state": "ENABLED", "variants": {"hi": "hi", "bye": "bye", "none": "none"}, "defaultVariant": "none", "targeting": {"if": [{"$ref":"ballmer"}, "hi", "bye"]}},
    "ref-space": {"state": "ENABLED", "variants": {"hi": "hi", "bye": "bye", "none": "none"}, "defaultVariant": "none", "targeting": {"if": [{ "$ref"  :
       "ballmer" }, "hi", "bye"]}},
    "ref-nowhere": {"state": "ENABLED", "variants": {"hit": "hit", "miss": "miss", "fallback": "fallback"}, "defaultVariant": "fallback", "targeting": {"if": [{"$ref": "nowhere"}, "hit", "miss"]}},

    "fractional-flag":           {"state": "ENABLED", "variants": {"clubs": "clubs", "diamonds": "diamonds", "hearts": "hearts", "spades": "spades", "wild": "wild"}, "defaultVariant": "wild", "targeting": {"fractional": [{"cat": [{"var": "$flagd.flagKey"}, {"var": "user.name"}]}, ["clubs", 25], ["diamonds", 25], ["hearts", 25], ["spades", 25]]}},
    "fractional-flag-shorthand": {"state": "ENABLED", "variants": {"heads": "heads", "tails": "tails", "draw": "draw"}, "defaultVariant": "draw", "targeting": {"fractional": [["heads"], ["tails", 1]]}},
    "shared-seed-a": {"state": "ENABLED", "variants": {"clubs": "clubs", "diamonds": "diamonds", "hearts": "hearts", "spades": "spades", "wild": "wild"}, "defaultVariant": "wild", "targeting": {"fractional": [{"cat": ["shared-seed", {"var": "user.name"}]}, ["clubs", 25], ["diamonds", 25], ["hearts", 25], ["spades", 25]]}},
    "shared-seed-b": {"state": "ENABLED", "variants": {"clubs": "ace-of-clubs", "diamonds": "ace-of-diamonds", "hearts": "ace-of-hearts", "spades": "ace-of-spades", "wild": "wild"}, "defaultVariant": "wild", "targeting": {"fractional": [{"cat": ["shared-seed", {"var": "user.name"}]}, ["clubs", 25], ["diamonds", 25], ["hearts", 25], ["spades", 25]]}},
    "fractional-edge":   {"state": "ENABLED", "variants": {"lower": "lower", "upper": "upper"}, "defaultVariant": "lower", "targeting": {"fractional": [{"var": "targetingKey"}, ["lower", 50], ["upper", 50]]}},
    "fractional-single": {"state": "ENABLED", "variants": {"single": "single", "fallback": "fallback"}, "defaultVariant": "fallback", "targeting": {"fractional": [["single", 1]]}},
    "nested-if":     {"state": "ENABLED", "variants": {"premium": "premium", "standard": "standard", "fallback": "fallback"}, "defaultVariant": "fallback", "targeting": {"fractional": [{"var": "targetingKey"}, [{"if": [{"==": [{"var": "tier"}, "premium"]}, "premium", "standard"]}, 50], ["standard", 50]]}},
    "nested-var":    {"state": "ENABLED", "variants": {"red": "red", "green": "green", "blue": "blue", "fallback": "fallback"}, "defaultVariant": "fallback", "targeting": {"fractional": [{"var": "targetingKey"}, [{"var": "color"}, 50], ["blue", 50]]}},
    "nested-weight": {"state": "ENABLED", "variants": {"red": "red", "blue": "blue", "fallback": "fallback"}, "defaultVariant": "fallback", "targeting": {"fractional": [{"var": "targetingKey"}, ["red", {"if": [{"==": [{"var": "tier"}, "premium"]}, 100, 0]}], ["blue", 10]]}},
    "condition-true":  {"state": "ENABLED", "variants": {"big": "hundreds", "small": "ones", "fallback": "zero"}, "defaultVariant": "fallback", "targeting": {"if": [{"fractional": [[false, 0], [true, 100]]}, "big", "small"]}},
    "condition-false": {"state": "ENABLED", "variants": {"big": "hundreds", "small": "ones", "fallback": "zero"}, "defaultVariant": "fallback", "targeting": {"if": [{"fractional": [[false, 100], [true, 0]]}, "big", "small"]}},
    "fractional-null-key": {"state": "ENABLED", "variants": {"one": "one", "two": "two", "fallback": "fallback"}, "defaultVariant": "fallback", "targeting": {"fractional": [{"var": "missing_key"}, ["one", 50], ["two", 50]]}},
    "fractional-zero":     {"state": "ENABLED", "variants": {"one": "one", "two": "two", "fallback": "fallback"}, "defaultVariant": "fallback", "targeting": {"fractional": [{"var": "targetingKey"}, ["one", 0], ["two", 0]]}},
    "fractional-negative": {"state": "ENABLED", "variants": {"one": "one", "two": "two", "fallback": "fallback"}, "defaultVariant": "fallback", "targeting": {"fractional": [{"var": "targetingKey"}, ["one", -50], ["two", 100]]}},

    "starts-ends": {"state": "ENABLED", "variants": {"prefix": "prefix", "postfix": "postfix", "none": "none"}, "defaultVariant": "none", "targeting": {"if": [{"starts_with": [{"var": "id"}, "abc"]}, "prefix", {"if": [{"ends_with": [{"var": "id"}, "xyz"]}, "postfix", {"if": [{"ends_with": [{"var": "id"}, 3]}, "fail", "none"]}]}]}},
    "starts-number": {"state": "ENABLED", "variants": {"true": "true", "false": "false", "fallback": "fallback"}, "defaultVariant": "fallback", "targeting": {"starts_with": [{"var": "num"}, "abc"]}},
    "ends-number":   {"state": "ENABLED", "variants": {"true": "true", "false": "false", "fallback": "fallback"}, "defaultVariant": "fallback", "targeting": {"ends_with": [{"var": "num"}, "xyz"]}},
    "starts-args":   {"state": "ENABLED", "variants": {"true": "true", "false": "false", "fallback": "fallback"}, "defaultVariant": "fallback", "targeting": {"starts_with": ["abc"]}},
    "ends-args":     {"state": "ENABLED", "variants": {"true": "true", "false": "false", "fallback": "fallback"}, "defaultVariant": "fallback", "targeting": {"ends_with": ["xyz"]}},

    "semver-order":  {"state": "ENABLED", "variants": {"equal": "equal", "greater": "greater", "lesser": "lesser", "none": "none"}, "defaultVariant": "none", "targeting": {"if": [{"sem_ver": [{"var": "version"}, "=", "2.0.0"]}, "equal", {"if": [{"sem_ver": [{"var": "version"}, ">", "2.0.0"]}, "greater", {"if": [{"sem_ver": [{"var": "version"}, "<", "2.0.0"]}, "lesser", {"if": [{"sem_ver": [{"var": "version"}, "=", "2.0.0.0"]}, "fail", "none"]}]}]}]}},
    "semver-range":  {"state": "ENABLED", "variants": {"minor": "minor", "major": "major", "none": "none"}, "defaultVariant": "none", "targeting": {"if": [{"sem_ver": [{"var": "version"}, "~", "3.0.0"]}, "minor", {"if": [{"sem_ver": [{"var": "version"}, "^", "3.0.0"]}, "major", "none"]}]}},
    "semver-v":       {"state": "ENABLED", "variants": {"match": "match", "no-match": "no-match"}, "defaultVariant": "no-match", "targeting": {"if": [{"sem_ver": [{"var": "version"}, "=", "v1.0.0"]}, "match", "no-match"]}},
    "semver-partial": {"state": "ENABLED", "variants": {"match": "match", "no-match": "no-match"}, "defaultVariant": "no-match", "targeting": {"if": [{"sem_ver": [{"var": "version"}, "^", "1"]}, "match", "no-match"]}},
    "semver-number":  {"state": "ENABLED", "variants": {"match": "match", "no-match": "no-match"}, "defaultVariant": "no-match", "targeting": {"if": [{"sem_ver": [{"var": "version"}, ">", "1.1"]}, "match", "no-match"]}},
    "semver-build":   {"state": "ENABLED", "variants": {"match": "match", "no-match": "no-match"}, "defaultVariant": "no-match", "targeting": {"if": [{"sem_ver": [{"var": "version"}, "=", "1.0.0+build"]}, "match", "no-match"]}},
    "semver-invalid":  {"state": "ENABLED", "variants": {"true": "true", "false": "false", "fallback": "fallback"}, "defaultVariant": "fallback", "targeting": {"sem_ver": [{"var": "version"}, "=", "1.0.0"]}},
    "semver-operator": {"state": "ENABLED", "variants": {"true": "true", "false": "false", "fallback": "fallback"}, "defaultVariant": "fallback", "targeting": {"sem_ver": [{"var": "version"}, "===", "1.0.0"]}},
    "semver-args":     {"state": "ENABLED", "variants": {"true": "true", "false": "false", "fallback": "fallback"}, "defaultVariant": "fallback", "targeting": {"sem_ver": [{"var": "version"}, "="]}},

    "timestamp":     {"state": "ENABLED", "variants": {"past": -1, "future": 1, "never": 0}, "defaultVariant": "never", "targeting": {"if": [{">": [{"var": "$flagd.timestamp"}, {"var": "time"}]}, "past", {"if": [{"<": [{"var": "$flagd.timestamp"}, {"var": "time"}]}, "future", "never"]}]}},
    "targeting-key": {"state": "ENABLED", "variants": {"miss": "miss", "hit": "hit"}, "defaultVariant": "miss", "targeting": {"if": [{"==": [{"var": "targetingKey"}, "5c3d8535-f81a-4478-a6d3-afaa4d51199e"]}, "hit", null]}},

    "rule-null":       {"state": "ENABLED", "variants": {"one": 1, "two": 2}, "defaultVariant": "two", "targeting": {"if": [true, null, "one"]}},
    "rule-invalid":    {"state": "ENABLED", "variants": {"one": 1, "two": 2}, "defaultVariant": "two", "targeting": {"invalid": ["this is not valid targeting"]}},
    "rule-no-variant": {"state": "ENABLED", "variants": {"one": 1, "two": 2}, "defaultVariant": "two", "targeting": {"if": [true, "three", "one"]}},
    "rule-boolean":    {"state": "ENABLED", "variants": {"false": 1, "true": 2}, "defaultVariant": "false", "targeting": {"if": [true, true, false]}},
    "rule-empty":      {"state": "ENABLED", "variants": {"false": 1, "true": 2}, "defaultVariant": "false", "targeting": {}},
    "null-rule":       {"state": "ENABLED", "variants": {"one": 1, "two": 2}, "defaultVariant": "two", "targeting": null},

    "metadata": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on", "metadata": {"string": "a", "integer": 1, "float": 1.2, "boolean": true}}
  },
  "$evaluators": {"ballmer": {"==": ["ballmer@macrosoft.com", {"var": ["email"]}]}}
}`

type attributes = map[string]any

// ask evaluates as the type of the default has it.
func ask(c *openfeature.Client, flag string, def any, attrs attributes) (value any, e openfeature.EvaluationDetails) {
	key, _ := attrs["targetingKey"].(string)
	ctx, eval := context.Background(), openfeature.NewEvaluationContext(key, attrs)
	switch def := def.(type) {
	case bool:
		d, _ := c.BooleanValueDetails(ctx, flag, def, eval)
		return d.Value, d.EvaluationDetails
	case string:
		d, _ := c.StringValueDetails(ctx, flag, def, eval)
		return d.Value, d.EvaluationDetails
	case int:
		d, _ := c.IntValueDetails(ctx, flag, int64(def), eval)
		return int(d.Value), d.EvaluationDetails
	case float64:
		d, _ := c.FloatValueDetails(ctx, flag, def, eval)
		return d.Value, d.EvaluationDetails
	}
	d, _ := c.ObjectValueDetails(ctx, flag, def, eval)
	return d.Value, d.EvaluationDetails
}

func TestAnswersAreThoseOfFlagdsTestBed(t *testing.T) {
	c := client(t, New(parse(t, testbed)))
	user := func(name string) attributes { return attributes{"user": attributes{"name": name}} }
	key := func(k string) attributes { return attributes{"targetingKey": k} }
	version := func(v any) attributes { return attributes{"version": v} }
	const static, match, def, disabled, failed = openfeature.StaticReason, openfeature.TargetingMatchReason, openfeature.DefaultReason, openfeature.DisabledReason, openfeature.ErrorReason
	ballmer, stranger := attributes{"email": "ballmer@macrosoft.com"}, attributes{"email": "user@example.com"}
	for _, row := range []struct {
		flag    string
		context attributes
		def     any
		want    any
		reason  openfeature.Reason
		code    openfeature.ErrorCode
	}{
		// Values of each type.
		{"bool", nil, false, true, static, ""},
		{"text", nil, "bye", "hi", static, ""},
		{"int", nil, 1, 10, static, ""},
		{"float", nil, 0.1, 0.5, static, ""},
		{"object", nil, attributes{}, attributes{"showImages": true, "title": "Pics", "perPage": 100.0}, static, ""},
		{"int32", nil, 1, math.MaxInt32, static, ""},
		{"int53", nil, 1, 9007199254740991, static, ""},
		{"whole", nil, 0.1, 10.0, static, ""},
		{"zero-bool", nil, true, false, static, ""},
		{"zero-text", nil, "hi", "", static, ""},
		{"zero-int", nil, 1, 0, static, ""},
		{"zero-float", nil, 0.1, 0.0, static, ""},
		{"zero-object", nil, attributes{"a": 1.0}, attributes{}, static, ""},
		{"targeted-zero-bool", ballmer, true, false, match, ""},
		{"targeted-zero-text", ballmer, "hi", "", match, ""},
		{"targeted-zero-int", ballmer, 1, 0, match, ""},
		{"targeted-zero-float", ballmer, 0.1, 0.0, match, ""},
		{"targeted-zero-text", stranger, "hi", "", def, ""},

		// What is not there, and what has another type.
		{"missing", nil, "uh-oh", "uh-oh", failed, openfeature.FlagNotFoundCode},
		{"text", nil, 13, 13, failed, openfeature.TypeMismatchCode},
		{"bool", nil, "fallback", "fallback", failed, openfeature.TypeMismatchCode},
		{"bool", nil, 1, 1, failed, openfeature.TypeMismatchCode},
		{"bool", nil, 0.1, 0.1, failed, openfeature.TypeMismatchCode},
		{"text", nil, false, false, failed, openfeature.TypeMismatchCode},
		{"text", nil, 0.1, 0.1, failed, openfeature.TypeMismatchCode},
		{"int", nil, false, false, failed, openfeature.TypeMismatchCode},
		{"int", nil, "fallback", "fallback", failed, openfeature.TypeMismatchCode},
		{"float", nil, false, false, failed, openfeature.TypeMismatchCode},
		{"float", nil, "fallback", "fallback", failed, openfeature.TypeMismatchCode},
		{"int", nil, attributes{}, attributes{}, failed, openfeature.TypeMismatchCode},
		{"object", nil, "fallback", "fallback", failed, openfeature.TypeMismatchCode},

		// Disabled: the caller's default.
		{"disabled-bool", nil, false, false, disabled, ""},
		{"disabled-text", nil, "bye", "bye", disabled, ""},
		{"disabled-int", nil, 1, 1, disabled, ""},
		{"disabled-float", nil, 0.1, 0.1, disabled, ""},
		{"disabled-object", nil, attributes{}, attributes{}, disabled, ""},

		// No default variant: the caller's default.
		{"null-default", nil, true, true, def, ""},
		{"null-default", nil, false, false, def, ""},
		{"no-default", nil, 100, 100, def, ""},
		{"no-default-null-rule", attributes{"email": "wozniak@orange.com"}, "Inventor", "Inventor", def, ""},
		{"no-default-null-rule", attributes{"email": "jobs@orange.com"}, "CEO", "CEO", match, ""},
		{"no-default-no-else", attributes{"email": "wozniak@orange.com"}, "Retired", "Retired", def, ""},

		// Shared evaluators.
		{"ref", ballmer, "x", "hi", match, ""},
		{"ref", stranger, "x", "bye", match, ""},
		{"ref-space", ballmer, "x", "hi", match, ""},
		{"ref-space", stranger, "x", "bye", match, ""},
		{"ref-nowhere", nil, "x", "x", failed, openfeature.ParseErrorCode},

		// Fractional, version 2.
		{"fractional-flag", user("jack"), "x", "hearts", match, ""},
		{"fractional-flag", user("queen"), "x", "spades", match, ""},
		{"fractional-flag", user("ten"), "x", "clubs", match, ""},
		{"fractional-flag", user("nine"), "x", "diamonds", match, ""},
		{"fractional-flag", user("3"), "x", "clubs", match, ""},
		{"fractional-flag-shorthand", key("jon@company.com"), "x", "heads", match, ""},
		{"fractional-flag-shorthand", key("jane@company.com"), "x", "tails", match, ""},
		{"fractional-flag-shorthand", attributes{"targetingKey": 12345}, "x", "draw", def, ""},
		{"fractional-flag-shorthand", attributes{"irrelevant": "none"}, "x", "draw", def, ""},
		{"shared-seed-a", user("seven"), "x", "hearts", match, ""},
		{"shared-seed-a", user("eight"), "x", "diamonds", match, ""},
		{"shared-seed-a", user("nine"), "x", "clubs", match, ""},
		{"shared-seed-a", user("two"), "x", "spades", match, ""},
		{"shared-seed-b", user("seven"), "x", "ace-of-hearts", match, ""},
		{"shared-seed-b", user("eight"), "x", "ace-of-diamonds", match, ""},
		{"shared-seed-b", user("nine"), "x", "ace-of-clubs", match, ""},
		{"shared-seed-b", user("two"), "x", "ace-of-spades", match, ""},
		{"fractional-edge", key("ejOoVL"), "x", "lower", match, ""}, // hash 0
		{"fractional-edge", key("bY9fO-"), "x", "lower", match, ""}, // 1
		{"fractional-edge", key("SI7p-"), "x", "lower", match, ""},  // 2^31-1
		{"fractional-edge", key("6LvT0"), "x", "upper", match, ""},  // 2^31
		{"fractional-edge", key("ceQdGm"), "x", "upper", match, ""}, // 2^32-1
		{"fractional-single", key("some-targeting-key"), "x", "single", match, ""},
		{"nested-if", attributes{"targetingKey": "jon@company.com", "tier": "premium"}, "x", "premium", match, ""},
		{"nested-if", attributes{"targetingKey": "jon@company.com", "tier": "basic"}, "x", "standard", match, ""},
		{"nested-if", attributes{"targetingKey": "user1", "tier": "premium"}, "x", "standard", match, ""},
		{"nested-if", attributes{"targetingKey": "user1", "tier": "basic"}, "x", "standard", match, ""},
		{"nested-var", attributes{"targetingKey": "jon@company.com", "color": "red"}, "x", "red", match, ""},
		{"nested-var", attributes{"targetingKey": "jon@company.com", "color": "green"}, "x", "green", match, ""},
		{"nested-var", attributes{"targetingKey": "user1", "color": "red"}, "x", "blue", match, ""},
		{"nested-var", attributes{"targetingKey": "jon@company.com", "color": "yellow"}, "fallback", "fallback", failed, openfeature.GeneralCode},
		{"nested-var", attributes{"targetingKey": "jon@company.com", "color": ""}, "fallback", "fallback", failed, openfeature.GeneralCode},
		{"nested-var", key("jon@company.com"), "x", "fallback", def, ""},
		{"nested-weight", attributes{"targetingKey": "jon@company.com", "tier": "premium"}, "x", "red", match, ""},
		{"nested-weight", attributes{"targetingKey": "jon@company.com", "tier": "basic"}, "x", "blue", match, ""},
		{"nested-weight", attributes{"targetingKey": "user1", "tier": "premium"}, "x", "red", match, ""},
		{"nested-weight", attributes{"targetingKey": "user1", "tier": "basic"}, "x", "blue", match, ""},
		{"condition-true", key("some-targeting-key"), "x", "hundreds", match, ""},
		{"condition-false", key("some-targeting-key"), "x", "ones", match, ""},
		{"fractional-null-key", nil, "wrong", "fallback", def, ""},
		{"fractional-zero", key("any-user"), "wrong", "fallback", def, ""},
		{"fractional-negative", key("any-user"), "wrong", "two", match, ""},

		// Texts.
		{"starts-ends", attributes{"id": "abcdef"}, "x", "prefix", match, ""},
		{"starts-ends", attributes{"id": "uvwxyz"}, "x", "postfix", match, ""},
		{"starts-ends", attributes{"id": "abcxyz"}, "x", "prefix", match, ""},
		{"starts-ends", attributes{"id": "lmnopq"}, "x", "none", match, ""},
		{"starts-ends", attributes{"id": "3"}, "x", "none", match, ""},
		{"starts-number", attributes{"num": 123}, "wrong", "fallback", def, ""},
		{"ends-number", attributes{"num": 123}, "wrong", "fallback", def, ""},
		{"starts-args", nil, "wrong", "fallback", def, ""},
		{"ends-args", nil, "wrong", "fallback", def, ""},

		// Versions.
		{"semver-order", version("2.0.0"), "x", "equal", match, ""},
		{"semver-order", version("2.1.0"), "x", "greater", match, ""},
		{"semver-order", version("1.9.0"), "x", "lesser", match, ""},
		{"semver-order", version("2.0.0-alpha"), "x", "lesser", match, ""},
		{"semver-order", version("2.0.0.0"), "x", "none", match, ""},
		{"semver-range", version("3.0.1"), "x", "minor", match, ""},
		{"semver-range", version("3.1.0"), "x", "major", match, ""},
		{"semver-range", version("4.0.0"), "x", "none", match, ""},
		{"semver-v", version("1.0.0"), "x", "match", match, ""},
		{"semver-v", version("v1.0.0"), "x", "match", match, ""},
		{"semver-v", version("V1.0.0"), "x", "match", match, ""},
		{"semver-v", version("2.0.0"), "x", "no-match", match, ""},
		{"semver-partial", version("1.5.0"), "x", "match", match, ""},
		{"semver-partial", version("1.0.0"), "x", "match", match, ""},
		{"semver-partial", version("1.0"), "x", "match", match, ""},
		{"semver-partial", version("1"), "x", "match", match, ""},
		{"semver-partial", version(1), "x", "match", match, ""},
		{"semver-partial", version(1.0), "x", "match", match, ""},
		{"semver-partial", version(1.2), "x", "match", match, ""},
		{"semver-partial", version("2.0.0"), "x", "no-match", match, ""},
		{"semver-number", version(1.2), "x", "match", match, ""},
		{"semver-number", version(1.1), "x", "no-match", match, ""},
		{"semver-number", version(2), "x", "match", match, ""},
		{"semver-number", version(1), "x", "no-match", match, ""},
		{"semver-number", version("1.2"), "x", "match", match, ""},
		{"semver-build", version("1.0.0"), "x", "match", match, ""},
		{"semver-build", version("1.0.0+other"), "x", "match", match, ""},
		{"semver-build", version("2.0.0"), "x", "no-match", match, ""},
		{"semver-invalid", version("not-a-version"), "wrong", "fallback", def, ""},
		{"semver-operator", version("1.0.0"), "wrong", "fallback", def, ""},
		{"semver-args", version("1.0.0"), "wrong", "fallback", def, ""},

		// Time, the key, and rules that are not as they should be.
		{"timestamp", attributes{"time": 1}, 0, -1, match, ""},
		{"timestamp", attributes{"time": 4133980802}, 0, 1, match, ""},
		{"targeting-key", key("5c3d8535-f81a-4478-a6d3-afaa4d51199e"), "x", "hit", match, ""},
		{"targeting-key", key("f20bd32d-703b-48b6-bc8e-79d53c85134a"), "x", "miss", def, ""},
		{"rule-null", nil, 3, 2, def, ""},
		{"rule-invalid", nil, 3, 3, failed, openfeature.ParseErrorCode},
		{"rule-no-variant", nil, 3, 3, failed, openfeature.GeneralCode},
		{"rule-boolean", nil, 3, 2, match, ""},
		{"rule-empty", nil, 3, 1, static, ""},
		{"null-rule", nil, 3, 2, static, ""},
	} {
		value, e := ask(c, row.flag, row.def, row.context)
		if !reflect.DeepEqual(value, row.want) || e.Reason != row.reason || e.ErrorCode != row.code {
			t.Errorf("%s with %v: %v, %s, %q (%s); want %v, %s, %q", row.flag, row.context, value, e.Reason, e.ErrorCode, e.ErrorMessage, row.want, row.reason, row.code)
		}
		named := row.reason == static || row.reason == match || row.reason == def && !reflect.DeepEqual(row.def, row.want)
		if named != (e.Variant != "") {
			t.Errorf("%s with %v has the variant %q", row.flag, row.context, e.Variant)
		}
	}
}

func TestMetadataOfTheFlagIsOnTopOfThatOfTheSet(t *testing.T) {
	c := client(t, New(parse(t, testbed)))
	if _, e := ask(c, "metadata", false, nil); !reflect.DeepEqual(e.FlagMetadata, openfeature.FlagMetadata{"string": "a", "integer": int64(1), "float": 1.2, "boolean": true}) {
		t.Errorf("metadata %v", e.FlagMetadata)
	}
	if _, e := ask(c, "bool", false, nil); len(e.FlagMetadata) > 0 {
		t.Errorf("metadata %v of a flag without any", e.FlagMetadata)
	}
	set := client(t, New(parse(t, `{"flags": {
		"plain": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on"},
		"own":   {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on", "metadata": {"string": "a", "integer": 1}}
	}, "metadata": {"string": "b", "integer": 2, "set-string": "c", "set-float": 3.2}}`)))
	for flag, want := range map[string]openfeature.FlagMetadata{
		"plain":   {"string": "b", "integer": int64(2), "set-string": "c", "set-float": 3.2},
		"own":     {"string": "a", "integer": int64(1), "set-string": "c", "set-float": 3.2},
		"missing": {"string": "b", "integer": int64(2), "set-string": "c", "set-float": 3.2},
	} {
		if _, e := ask(set, flag, false, nil); !reflect.DeepEqual(e.FlagMetadata, want) {
			t.Errorf("%s: metadata %v, want %v", flag, e.FlagMetadata, want)
		}
	}
}
