package evidence

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
	"time"
)

// What other gateways publish is read without trust: whatever is accepted can
// be written, merged and judged, and reads the same again.
func FuzzCounts(f *testing.F) {
	cell := NewCell(3, 5000)
	cell.Begin(4, 20_000)
	for key := range Key(12) {
		cell.Saw(KeyOf(string(rune('a'+key))), 3, Side(key%2))
		cell.Count(Errors, KeyOf(string(rune('a'+key))), 3+uint64(key%2), Side(key%2))
	}
	cell.Link(Errors, "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7")
	c := Counts{At: noon, Gateways: 1, Cells: map[string]*Cell{"": cell}}
	c.Burn[Modern].Add(noon, 100, 3)
	c.Latency.Add(noon, 40*time.Millisecond)
	text, err := json.Marshal(c)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, in []byte) {
		var c Counts
		if json.Unmarshal(in, &c) != nil {
			return
		}
		merged := Merge(c, c, Counts{})
		for name, cell := range merged.Cells {
			for _, r := range cell.Judge(name, []Guard{{Metric: Errors}, {Metric: Mismatches, Basis: ByRate, Rate: 0.01}}, Budget{Alpha: 0.001}, true) {
				if math.IsNaN(r.E) || r.Check() != nil {
					t.Fatalf("%v: %v", r, r.Check())
				}
			}
			cell.Streaks.Judge(BlipTime, true)
		}
		merged.Burn.Judge(Objective, noon, false)
		merged.Latency.Tau(0.5, noon)
		once, err := json.Marshal(merged)
		if err != nil {
			t.Fatal(err)
		}
		var back Counts
		if err := json.Unmarshal(once, &back); err != nil {
			t.Fatalf("%v\n%s", err, once)
		}
		if twice, err := json.Marshal(back); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%v\n%s\n%s", err, once, twice)
		}
	})
}

func TestMalformedCountsAreRefused(t *testing.T) {
	for _, in := range []string{
		`{"cells":{"":{"seen":"AA=="}}}`,         // a group without keys
		`{"cells":{"":{"seen":"AgABAA=="}}}`,     // no number of keys
		`{"cells":{"":{"seen":"AgIBAA=="}}}`,     // the same key twice
		`{"cells":{"":{"seen":"BAEBAgEC"}}}`,     // epochs that do not ascend
		`{"cells":{"":{"seen":"AgEBBAEB"}}}`,     // one key in two epochs
		`{"cells":{"":{"seen":"Av////////8P"}}}`, // more keys than there is text
		`{"cells":{"":{"seen":17}}}`,
		`{"burn":[{"minutes":[[1,2]]},{}]}`,
		`{"burn":[{"minutes":[[2,1,0],[1,1,0]]},{}]}`,
		`{"burn":[{"minutes":[[18446744073709551615,1,0]]},{}]}`,
		`{"latency":[{"at":1,"sketch":"//8/AQ=="}]}`, // beyond an hour
		`{"latency":[{"at":1,"sketch":"AQA="}]}`,     // a count of zero
		`{"latency":[{"at":1,"sketch":"AQEAAQ=="}]}`, // the same counter twice
	} {
		var c Counts
		if err := json.Unmarshal([]byte(in), &c); err == nil {
			t.Errorf("%s is read", in)
		}
	}
}

func TestKeysAreHashedWithTheirNetwork(t *testing.T) {
	seen := make(map[Key]string)
	for name, key := range map[string]Key{
		"verified": KeyOf("alice"), "empty": KeyOf(""), "alice from a": KeyOf("alice").Within(0, 0xc0000200),
		"alice from b": KeyOf("alice").Within(0, 0xc6336400), "alice from c": KeyOf("alice").Within(0xc0000200, 0),
		"no prefix": KeyOf("alice").Within(0, 0),
	} {
		if other, ok := seen[key]; ok {
			t.Errorf("%s and %s have the same hash", name, other)
		}
		seen[key] = name
	}
	if KeyOf("alice") != 0xc5d1556d66774a5c {
		t.Errorf("the hash of alice has become %#x: gateways of two versions would count her twice", uint64(KeyOf("alice")))
	}
}
