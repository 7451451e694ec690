package flagd

import (
	"strings"
	"testing"
	"time"
)

// No definition makes Parse panic, none that compiles makes an evaluation
// panic or take long, and each answer keeps to its reason.
func FuzzDefinition(f *testing.F) {
	f.Add(testbed)
	f.Add(rollout)
	f.Add(stage("live"))
	f.Add(`{"flags": {"a": {"state": "ENABLED", "variants": {"x": 1}, "targeting": {"reduce": [{"var": "list"}, {"cat": [{"var": "accumulator"}, {"var": "accumulator"}]}, "x"]}}}}`)
	f.Add(`{"flags": {"a": {"state": "ENABLED", "variants": {"x": 1}, "targeting": {"filter": [{"var": "list"}, {"$ref": "e"}]}}}, "$evaluators": {"e": {"map": [{"var": "list"}, {"$ref": "e"}]}}}`)
	f.Add(`{"flags": {"a": {"variants": {"x": [1, {"y": null}]}, "targeting": {"if": [{"missing_some": [1, ["a.b.c", ""]]}, {"substr": ["aé", -1, 9]}, {"%": ["0x1", {"max": []}]}]}}}}`)
	f.Add(strings.Repeat(`{"flags":`, 300))
	list := make([]any, 300)
	for i := range list {
		list[i] = map[string]any{"n": i, "list": list[:i%3]}
	}
	contexts := []attributes{nil, {"targetingKey": "4711", "list": list, "user": attributes{"name": "ten"}, "version": 1.2, "n": -3, "email": "a@b"}}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse("flags.json", []byte(text))
		if err != nil {
			if err.Error() == "" {
				t.Fatal("refused without a reason")
			}
			return
		}
		if len(d.Changed(d)) > 0 {
			t.Fatal("differs from itself")
		}
		p := New(d)
		for _, key := range d.Flags() {
			for _, attrs := range contexts {
				start := time.Now()
				e := d.Evaluate(key, attrs)
				if took := time.Since(start); took > 5*time.Second {
					t.Fatalf("%q took %v", key, took)
				}
				switch e.Reason {
				case "STATIC", "TARGETING_MATCH":
					if e.variant == nil || e.Variant != e.variant.name || e.Code != "" {
						t.Fatalf("%q: %+v", key, e)
					}
				case "DEFAULT":
					if e.Code != "" {
						t.Fatalf("%q: %+v", key, e)
					}
				case "DISABLED":
					if e.Value != nil || e.Code != "" {
						t.Fatalf("%q: %+v", key, e)
					}
				case "ERROR":
					if e.Value != nil || e.Code == "" || e.Message == "" {
						t.Fatalf("%q: %+v", key, e)
					}
				default:
					t.Fatalf("%q: %+v", key, e)
				}
				p.BooleanEvaluation(t.Context(), key, false, attrs)
				p.IntEvaluation(t.Context(), key, 0, attrs)
				p.ObjectEvaluation(t.Context(), key, nil, attrs)
			}
			if split, ok := d.Split(key); ok {
				sum := 0
				for _, share := range split {
					sum += share.Buckets
				}
				if sum != 100_000 {
					t.Fatalf("%q: the shares of %v add up to %d", key, split, sum)
				}
			}
		}
	})
}
