package flagd

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
	"golang.org/x/mod/semver"
	"pgregory.net/rapid"
)

// evaluated runs a rule of a flag "f".
func evaluated(t testing.TB, rule string, context attributes) (any, *failure) {
	t.Helper()
	d := parse(t, `{"flags": {"f": {"state": "ENABLED", "variants": {"a": 1}, "targeting": {"log": [`+rule+`]}}}}`)
	return d.flags["f"].run(context, nil, func() time.Time { return time.Unix(1_750_000_000, 0) })
}

// Most are the examples of jsonlogic.com, the rest what JavaScript does.
func TestOperatorsDoWhatJSONLogicSays(t *testing.T) {
	const context = `{"a": 1, "b": {"c": [10, "x", {"d": true}]}, "n": null, "empty": "", "temp": 110, "filling": "apple",
		"integers": [1, 2, 3, 4, 5], "pies": [{"filling": "pumpkin", "temp": 110}, {"filling": "apple", "temp": 210}], "targetingKey": "4711"}`
	var attrs attributes
	if err := json.Unmarshal([]byte(context), &attrs); err != nil {
		t.Fatal(err)
	}
	for rule, want := range map[string]string{
		`{"var": "a"}`: `1`, `{"var": ["a"]}`: `1`, `{"var": ["z", 26]}`: `26`, `{"var": ["n", 26]}`: `26`, `{"var": "z"}`: `null`,
		`{"var": "b.c.0"}`: `10`, `{"var": "b.c.2.d"}`: `true`, `{"var": "b.c.3"}`: `null`, `{"var": "b.c.-1"}`: `null`, `{"var": "a.b"}`: `null`,
		`{"var": {"cat": ["b.c", ".1"]}}`: `"x"`, `{"var": "$flagd.flagKey"}`: `"f"`, `{"var": "$flagd.timestamp"}`: `1750000000`, `{"var": "$flagd"}`: `{"flagKey":"f","timestamp":1750000000}`,
		`{"missing": ["a", "z"]}`: `["z"]`, `{"missing": ["a", "b"]}`: `[]`, `{"missing": [["n", "empty", "a"]]}`: `["n","empty"]`, `{"missing": "z"}`: `["z"]`,
		`{"missing_some": [1, ["a", "y", "z"]]}`: `[]`, `{"missing_some": [2, ["a", "y", "z"]]}`: `["y","z"]`,

		`{"if": [true, "yes", "no"]}`: `"yes"`, `{"if": [false, "yes", "no"]}`: `"no"`, `{"if": [false, "yes"]}`: `null`, `{"if": []}`: `null`, `{"if": ["x"]}`: `"x"`,
		`{"if": [{"<": [{"var": "temp"}, 0]}, "freezing", {"<": [{"var": "temp"}, 100]}, "liquid", "gas"]}`: `"gas"`, `{"?:": [true, 1, 2]}`: `1`,
		`{"==": [1, 1]}`: `true`, `{"==": [1, "1"]}`: `true`, `{"==": [0, false]}`: `true`, `{"==": [null, 0]}`: `false`, `{"==": [null, null]}`: `true`, `{"==": ["", 0]}`: `true`,
		`{"==": ["1", "1.0"]}`: `false`, `{"==": [[1], 1]}`: `true`, `{"==": [[1], [1]]}`: `false`, `{"==": ["0x10", 16]}`: `true`, `{"==": ["x", 0]}`: `false`, `{"==": [true, "1"]}`: `true`,
		`{"===": [1, 1]}`: `true`, `{"===": [1, "1"]}`: `false`, `{"!=": [1, 2]}`: `true`, `{"!=": [1, "1"]}`: `false`, `{"!==": [1, 2]}`: `true`, `{"!==": [1, "1"]}`: `true`,
		`{"!": [true]}`: `false`, `{"!": true}`: `false`, `{"!": [[]]}`: `true`, `{"!": "0"}`: `false`, `{"!!": [[]]}`: `false`, `{"!!": ["0"]}`: `true`, `{"!!": 0}`: `false`, `{"!!": [""]}`: `false`, `{"!!": {}}`: `true`,
		`{"or": [true, false]}`: `true`, `{"or": [false, "a"]}`: `"a"`, `{"or": [false, 0, "a"]}`: `"a"`, `{"or": [false, 0]}`: `0`, `{"and": [true, true]}`: `true`, `{"and": [true, "a", 3]}`: `3`, `{"and": [true, "", 3]}`: `""`,

		`{">": [2, 1]}`: `true`, `{">=": [1, 1]}`: `true`, `{"<": [1, 2]}`: `true`, `{"<=": [1, 1]}`: `true`, `{"<": [1, 2, 3]}`: `true`, `{"<": [1, 1, 3]}`: `false`, `{"<": [1, 4, 3]}`: `false`,
		`{"<=": [1, 1, 3]}`: `true`, `{"<": [0, {"var": "temp"}, 100]}`: `false`, `{">": [3, 2, 1]}`: `true`, `{"<": ["a", "b"]}`: `true`, `{"<": ["10", "9"]}`: `true`, `{"<": ["10", 9]}`: `false`,
		`{"<": ["x", 1]}`: `false`, `{">=": ["x", 1]}`: `false`, `{"<": [null, 1]}`: `true`, `{">": [1]}`: `false`, `{"<": ["B", "a"]}`: `true`,
		`{"max": [1, 2, 3]}`: `3`, `{"min": [1, 2, 3]}`: `1`, `{"max": {"var": "integers"}}`: `5`, `{"min": [{"var": "integers"}]}`: `1`, `{"max": ["2", 1]}`: `2`,
		`{"+": [4, 2]}`: `6`, `{"-": [4, 2]}`: `2`, `{"*": [4, 2]}`: `8`, `{"/": [4, 2]}`: `2`, `{"+": [2, 2, 2, 2, 2]}`: `10`, `{"*": [2, 2, 2, 2, 2]}`: `32`, `{"-": 2}`: `-2`, `{"-": -2}`: `2`,
		`{"+": "3.14"}`: `3.14`, `{"+": "3px"}`: `3`, `{"-": ["5", "2"]}`: `3`, `{"%": [101, 2]}`: `1`, `{"%": [-7, 3]}`: `-1`,

		`{"map": [{"var": "integers"}, {"*": [{"var": ""}, 2]}]}`: `[2,4,6,8,10]`, `{"filter": [{"var": "integers"}, {"%": [{"var": ""}, 2]}]}`: `[1,3,5]`,
		`{"reduce": [{"var": "integers"}, {"+": [{"var": "current"}, {"var": "accumulator"}]}, 0]}`:                                                       `15`,
		`{"reduce": [{"filter": [{"var": "pies"}, {"==": [{"var": "filling"}, "apple"]}]}, {"+": [{"var": "accumulator"}, {"var": "current.temp"}]}, 5]}`: `215`,
		`{"all": [[1, 2, 3], {">": [{"var": ""}, 0]}]}`:                                                                                                   `true`, `{"all": [[], {">": [{"var": ""}, 0]}]}`: `false`, `{"some": [[-1, 0, 1], {">": [{"var": ""}, 0]}]}`: `true`, `{"none": [[-3, -2, -1], {">": [{"var": ""}, 0]}]}`: `true`,
		`{"none": [[], true]}`: `true`, `{"some": [{"var": "pies"}, {"==": [{"var": "filling"}, "apple"]}]}`: `true`, `{"map": [{"var": "z"}, 1]}`: `[]`, `{"reduce": [{"var": "z"}, 1, 7]}`: `7`,
		`{"map": [[1], {"var": "a"}]}`: `[null]`, // in a loop only the element is there
		`{"merge": [[1, 2], [3, 4]]}`:  `[1,2,3,4]`, `{"merge": [1, 2, [3, [4]]]}`: `[1,2,3,[4]]`, `{"merge": "a"}`: `["a"]`, `{"merge": []}`: `[]`,
		`{"in": ["Ringo", ["John", "Paul", "George", "Ringo"]]}`: `true`, `{"in": ["Spring", "Springfield"]}`: `true`, `{"in": ["i", "team"]}`: `false`, `{"in": [1, [1, 2]]}`: `true`, `{"in": ["1", [1, 2]]}`: `false`, `{"in": ["a", null]}`: `false`, `{"in": ["a"]}`: `false`, `{"in": [1, "213"]}`: `true`,

		`{"cat": ["I love", " pie"]}`: `"I love pie"`, `{"cat": ["I love ", {"var": "filling"}, " pie"]}`: `"I love apple pie"`, `{"cat": [1, null, true, 1.5, [1, [2]]]}`: `"1true1.51,2"`, `{"cat": " a "}`: `" a "`, `{"cat": 1e21}`: `"1e+21"`, `{"cat": 0.0000001}`: `"1e-7"`, `{"cat": 100000}`: `"100000"`,
		`{"substr": ["jsonlogic", 4]}`: `"logic"`, `{"substr": ["jsonlogic", -5]}`: `"logic"`, `{"substr": ["jsonlogic", 1, 3]}`: `"son"`, `{"substr": ["jsonlogic", 4, -2]}`: `"log"`, `{"substr": ["né€", 1, 1]}`: `"é"`, `{"substr": ["abc", 9]}`: `""`, `{"substr": ["abc", -9]}`: `"abc"`, `{"substr": ["abc", 2, -2]}`: `""`,
		`{"lower": "ÄBc"}`: `"Äbc"`, `{"upper": [{"var": "filling"}]}`: `"APPLE"`, `{"lower": 1}`: `null`, `{"log": "apple"}`: `"apple"`,

		`{"starts_with": ["abc", "ab"]}`: `true`, `{"ends_with": ["abc", "ab"]}`: `false`, `{"starts_with": [1, "1"]}`: `null`, `{"ends_with": ["a", "b", "c"]}`: `null`,
		`{"fractional": [["a"]]}`: `"a"`, `{"fractional": ["seed", ["a", 1]]}`: `"a"`, `{"fractional": []}`: `null`, `{"fractional": ["seed"]}`: `null`, `{"fractional": [1, ["a", 1]]}`: `null`, `{"fractional": [["a", 1.5]]}`: `null`, `{"fractional": [["a", "1"]]}`: `null`, `{"fractional": [["a", null]]}`: `"a"`, `{"fractional": [["a", 2147483648]]}`: `null`, `{"fractional": [["a", 2147483647], ["b", 1]]}`: `null`, `{"fractional": [[["a"], 1]]}`: `null`, `{"fractional": [null, ["a"]]}`: `"a"`, `{"fractional": [[]]}`: `null`, `{"fractional": [["a"], "b"]}`: `null`,

		`{"a": 1, "b": 2}`: `{"a":1,"b":2}`, `[1, {"+": [1, 1]}]`: `[1,2]`, `"text"`: `"text"`, `null`: `null`,
	} {
		got, failed := evaluated(t, rule, attrs)
		if failed != nil {
			t.Errorf("%s: %s", rule, failed.text)
			continue
		}
		text, err := json.Marshal(got)
		if err != nil || string(text) != want {
			t.Errorf("%s = %s, want %s", rule, text, want)
		}
	}
}

func TestNumbersAreReadAndWrittenAsInJavaScript(t *testing.T) {
	nan := math.NaN()
	for text, want := range map[string]float64{
		"": 0, " ": 0, "12": 12, " 12\n": 12, "-1.5": -1.5, "+2": 2, ".5": .5, "5.": 5, "1e3": 1000, "1e": nan, "Infinity": math.Inf(1), "-Infinity": math.Inf(-1),
		"0x1F": 31, "0b11": 3, "0o17": 15, "0x": nan, "1_000": nan, "0x1_0": nan, "inf": nan, "NaN": nan, "12px": nan, "1 2": nan, "0x1p-2": nan, "1e999": math.Inf(1), "017": 17,
	} {
		if got := parseNumber(text); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("Number(%q) = %v, want %v", text, got, want)
		}
	}
	for text, want := range map[string]float64{"12px": 12, " 3.5e2x": 350, "1e": 1, "x": nan, "": nan, "-.5.5": -.5, "Infinityx": math.Inf(1), "0x10": 0, "+": nan} {
		if got := parseFloat(text); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("parseFloat(%q) = %v, want %v", text, got, want)
		}
	}
	for f, want := range map[float64]string{0: "0", math.Copysign(0, -1): "0", 1: "1", -1.5: "-1.5", 1e20: "100000000000000000000", 1e21: "1e+21", 1.5e-7: "1.5e-7", 1e-6: "0.000001", 123456789012: "123456789012", 1e100: "1e+100", math.Inf(1): "Infinity", math.Inf(-1): "-Infinity"} {
		if got := formatNumber(f); got != want {
			t.Errorf("String(%v) = %s, want %s", f, got, want)
		}
	}
}

// A context may hold whatever Go has.
func TestContextMayHoldAnyValue(t *testing.T) {
	type color string
	type user struct {
		Name string `json:"name"`
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	attrs := attributes{
		"int": 7, "int8": int8(7), "uint": uint(7), "float32": float32(1.5), "named": color("red"), "texts": []string{"a", "b"}, "ints": []int{1, 2},
		"map": map[string]int{"x": 1}, "struct": user{"Ada"}, "pointer": &user{"Ada"}, "time": now, "duration": time.Second, "func": func() {}, "nilmap": map[string]any(nil), "bytes": []byte("hi"),
		"mixed": []any{1, int64(2), color("red"), []string{"x"}},
	}
	for rule, want := range map[string]any{
		`{"+": [{"var": "int"}, {"var": "int8"}, {"var": "uint"}]}`: 21.0, `{"var": "float32"}`: 1.5, `{"==": [{"var": "named"}, "red"]}`: true,
		`{"in": ["b", {"var": "texts"}]}`: true, `{"in": [2, {"var": "ints"}]}`: true, `{"var": "map.x"}`: 1.0, `{"var": "struct.name"}`: "Ada", `{"var": "pointer.name"}`: "Ada",
		`{"var": "time"}`: "2026-01-02T03:04:05Z", `{"var": "duration"}`: 1e9, `{"var": "func"}`: nil, `{"var": "nilmap.x"}`: nil, `{"var": "bytes"}`: "aGk=",
		`{"in": ["red", {"var": "mixed"}]}`: true, `{"in": [2, {"var": "mixed"}]}`: true, `{"var": "mixed.3.0"}`: "x", `{"cat": {"var": "mixed"}}`: "1,2,red,x",
		`{"reduce": [{"var": "mixed"}, {"cat": [{"var": "accumulator"}, {"var": "current"}]}, ""]}`: "12redx",
	} {
		if got, failed := evaluated(t, rule, attrs); failed != nil || got != want {
			t.Errorf("%s = %#v (%v), want %#v", rule, got, failed, want)
		}
	}
	loop := []any{1}
	loop[0] = loop
	if _, failed := evaluated(t, `{"cat": {"var": "loop"}}`, attributes{"loop": loop}); failed != nil {
		t.Errorf("an array that contains itself: %s", failed.text)
	}
}

type explosive struct{}

func (explosive) MarshalJSON() ([]byte, error) { panic("boom") }

func TestPanicOfAContextValueIsAnError(t *testing.T) {
	_, failed := evaluated(t, `{"var": "x"}`, attributes{"x": explosive{}})
	if failed == nil || failed.code != openfeature.GeneralCode || !strings.Contains(failed.text, "boom") {
		t.Errorf("failed = %v", failed)
	}
}

func TestVersionsAreOrderedAsSemverOrgSays(t *testing.T) {
	part := rapid.SampledFrom([]string{"0", "1", "2", "10", "01", "99999999999999999999", ""})
	pre := rapid.SampledFrom([]string{"", "", "-alpha", "-alpha.1", "-alpha.beta", "-1", "-01", "-0", "-rc.1-x", "-", "-a..b", "-é"})
	build := rapid.SampledFrom([]string{"", "", "+b", "+001", "+", "+a.b"})
	draw := rapid.Custom(func(t *rapid.T) string {
		s := part.Draw(t, "major")
		for range rapid.IntRange(0, 3).Draw(t, "more") {
			s += "." + part.Draw(t, "number")
		}
		return s + pre.Draw(t, "prerelease") + build.Draw(t, "build")
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		v, ok := parseVersion(a)
		w, also := parseVersion("v" + b)
		if ok != semver.IsValid("v"+a) || also != semver.IsValid("v"+b) {
			t.Fatalf("%q is a version: %t, %q: %t; want %t, %t", a, ok, b, also, semver.IsValid("v"+a), semver.IsValid("v"+b))
		}
		if ok && also && v.compare(w) != semver.Compare("v"+a, "v"+b) {
			t.Fatalf("%q compared to %q: %d, want %d", a, b, v.compare(w), semver.Compare("v"+a, "v"+b))
		}
	})
}

func TestVersionRelations(t *testing.T) {
	for _, c := range []struct {
		left, relation, right string
		want                  string
	}{
		{"1.2.3", "=", "1.2.3", "true"}, {"1.2.3", "!=", "1.2.3", "false"}, {"1.2.3", "<", "1.10.0", "true"}, {"1.2.3", "<=", "1.2.3", "true"}, {"1.2.3", ">", "1.2.3-rc.1", "true"}, {"1.2.3", ">=", "1.2.4", "false"},
		{"1.9.9", "^", "1.0.0", "true"}, {"2.0.0", "^", "1.0.0", "false"}, {"1.2.9", "~", "1.2.0", "true"}, {"1.3.0", "~", "1.2.0", "false"},
		{"1.2.3", "==", "1.2.3", "<nil>"}, {"1.2", "=", "1.2.0", "true"}, {"1.2.3.4", "=", "1.2.3", "<nil>"}, {"", "=", "1.0.0", "<nil>"}, {"1.0.0", "=", strings.Repeat("1", 300), "<nil>"},
	} {
		got, failed := evaluated(t, fmt.Sprintf(`{"sem_ver": [%q, %q, %q]}`, c.left, c.relation, c.right), nil)
		if failed != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%s %s %s: %v, want %s", c.left, c.relation, c.right, got, c.want)
		}
		got, failed = evaluated(t, fmt.Sprintf(`{"sem_ver": [%q, {"var": "relation"}, {"var": "right"}]}`, c.left), attributes{"relation": c.relation, "right": c.right})
		if failed != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%s %s %s of the context: %v, want %s", c.left, c.relation, c.right, got, c.want)
		}
	}
}

func TestRuleThatTakesTooLongFails(t *testing.T) {
	list := make([]any, 1000)
	grid := make([]any, 1000)
	for i := range list {
		list[i], grid[i] = "a text of some length", list
	}
	for name, rule := range map[string]string{
		"loops in loops":    `{"filter": [{"var": "grid"}, {"some": [{"var": ""}, {"==": [{"var": ""}, 1]}]}]}`,
		"a growing text":    `{"reduce": [{"var": "list"}, {"cat": [{"var": "accumulator"}, {"var": "accumulator"}]}, "x"]}`,
		"a growing array":   `{"reduce": [{"var": "list"}, {"merge": [{"var": "accumulator"}, {"var": "accumulator"}]}, [1]]}`,
		"quadratic lookups": `{"reduce": [{"var": "list"}, {"merge": [{"var": "accumulator"}, {"var": "current"}, {"filter": [{"var": "accumulator"}, {"in": [1, {"var": "accumulator"}]}]}]}, []]}`,
	} {
		start := time.Now()
		_, failed := evaluated(t, rule, attributes{"list": list, "grid": grid})
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
		if failed == nil || failed.code != openfeature.GeneralCode {
			t.Errorf("%s: failed = %v", name, failed)
		}
	}
}
