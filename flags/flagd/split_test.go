package flagd

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/ficus-gateway/ficus/migrations"
)

func stageFlag(rest string) string {
	return `{"flags": {"orders": {"variants": {"off": "off", "shadow": "shadow", "on": "live", "full": "complete", "odd": "maybe"}, ` + rest + `}}}`
}

func TestSplitIsKnownWhereTheKeyAloneDecides(t *testing.T) {
	for rest, want := range map[string]string{
		`"state": "ENABLED", "defaultVariant": "on"`:                                                                                                                                 "live=100%",
		`"state": "ENABLED", "defaultVariant": "shadow", "targeting": {}`:                                                                                                            "shadow=100%",
		`"state": "ENABLED", "defaultVariant": "off", "targeting": {"fractional": [["on", 5], ["shadow", 95]]}`:                                                                      "live=5% shadow=95%",
		`"state": "ENABLED", "defaultVariant": "off", "targeting": {"fractional": [["off", 90], ["on", 10]]}`:                                                                        "live=10% off=90%",
		`"state": "ENABLED", "defaultVariant": "off", "targeting": {"fractional": [["on"], ["full"], ["off"]]}`:                                                                      "complete=33.333% live=33.333% off=33.334%",
		`"state": "ENABLED", "defaultVariant": "off", "targeting": {"fractional": [["on", 1], [null, 3]]}`:                                                                           "live=25% off=75%",
		`"state": "ENABLED", "defaultVariant": "off", "targeting": {"fractional": [["on", 1], ["on", 1], ["off", 2], ["full", 0]]}`:                                                  "live=50% off=50%",
		`"state": "ENABLED", "defaultVariant": "off", "targeting": {"fractional": [{"var": "targetingKey"}, ["on", 1], ["off", 3]]}`:                                                 "live=25% off=75%",
		`"state": "ENABLED", "defaultVariant": "off", "targeting": {"fractional": [{"cat": ["salt", {"var": "$flagd.flagKey"}, {"var": ["targetingKey"]}]}, ["on", 1], ["off", 3]]}`: "live=25% off=75%",

		`"state": "DISABLED", "defaultVariant": "on"`: "",
		`"state": "ENABLED"`:                          "",
		`"state": "ENABLED", "defaultVariant": "odd"`: "",
		`"state": "ENABLED", "defaultVariant": "off", "targeting": {"fractional": [["on", 1], ["odd", 1]]}`:                                 "",
		`"state": "ENABLED", "defaultVariant": "off", "targeting": {"fractional": [["on", 1], ["gone", 1]]}`:                                "",
		`"state": "ENABLED", "defaultVariant": "off", "targeting": {"fractional": [["on", 0]]}`:                                             "",
		`"state": "ENABLED", "defaultVariant": "off", "targeting": {"fractional": [{"var": "email"}, ["on", 1], ["off", 1]]}`:               "",
		`"state": "ENABLED", "defaultVariant": "off", "targeting": {"fractional": ["constant", ["on", 1], ["off", 1]]}`:                     "",
		`"state": "ENABLED", "defaultVariant": "off", "targeting": {"fractional": [{"cat": ["constant"]}, ["on", 1], ["off", 1]]}`:          "",
		`"state": "ENABLED", "defaultVariant": "off", "targeting": {"fractional": [["on", {"var": "w"}], ["off", 1]]}`:                      "",
		`"state": "ENABLED", "defaultVariant": "off", "targeting": {"if": [{"var": "vip"}, "on", {"fractional": [["on", 1], ["off", 1]]}]}`: "",
	} {
		p := New(parse(t, stageFlag(rest)))
		split, ok := p.Split("orders")
		if ok != (want != "") || ok && split.String() != want {
			t.Errorf("%s: %v %t, want %q", rest, split, ok, want)
		}
	}
	if _, ok := New(parse(t, rollout)).Split("gone"); ok {
		t.Error("the split of a flag that does not exist is known")
	}
}

// The shares that are told are those that people get.
func TestSplitIsWhatPeopleGet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"off", "shadow", "on", "full"}
		portions, total := "", 0
		for i := range rapid.IntRange(1, 5).Draw(t, "portions") {
			weight := rapid.IntRange(0, 100).Draw(t, "weight")
			if total += weight; i > 0 {
				portions += ", "
			}
			portions += fmt.Sprintf(`[%q, %d]`, rapid.SampledFrom(names).Draw(t, "variant"), weight)
		}
		d, err := Parse("flags.json", []byte(stageFlag(`"state": "ENABLED", "defaultVariant": "off", "targeting": {"fractional": [`+portions+`]}`)))
		if err != nil {
			t.Fatal(err)
		}
		split, ok := d.Split("orders")
		if ok != (total > 0) {
			t.Fatalf("%s: known %t", portions, ok)
		}
		if !ok {
			return
		}
		const people = 4000
		got, sum := map[migrations.Stage]int{}, 0
		for i := range people {
			got[migrations.Stage(d.Evaluate("orders", attributes{"targetingKey": fmt.Sprint(i)}).Value.(string))]++
		}
		for _, stage := range migrations.Stages {
			sum += split.Share(stage)
			share, want := float64(got[stage])/people, float64(split.Share(stage))/migrations.Buckets
			if share < want-0.04 || share > want+0.04 || want == 0 && share > 0 {
				t.Fatalf("%s: %v of the people are at %s, the split says %v", portions, share, stage, want)
			}
		}
		if sum != migrations.Buckets {
			t.Fatalf("%s: the shares add up to %d", portions, sum)
		}
	})
}
