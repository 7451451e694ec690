package migrations

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A log that the first release wrote folds to the state that it folded to then,
// and its decisions are explained to the bit.
func TestALogOfTheFirstReleaseMeansWhatItMeant(t *testing.T) {
	text, err := os.ReadFile("testdata/release-1.events")
	if err != nil {
		t.Fatal(err)
	}
	var s State
	var h Hash
	explained := 0
	for line := range bytes.Lines(text) {
		e, next, err := DecodeLine(h, bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			t.Fatal(err)
		}
		h = next
		if s, err = Apply(s, e); err != nil {
			t.Fatal(err)
		}
		if e.Kind != RolledBack {
			continue
		}
		got, err := Explain(e)
		if err != nil || got != e.Evidence.Records[0].E {
			t.Errorf("event %d: E is %v, %v; it was %v", e.Seq, got, err, e.Evidence.Records[0].E)
		}
		explained++
	}
	if explained != 3 {
		t.Errorf("%d decisions were explained", explained)
	}
	text, err = os.ReadFile("testdata/release-1.state.json")
	if err != nil {
		t.Fatal(err)
	}
	var want State
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	// What slow means was one number; now it is one of several.
	m := s.Migrations["orders"]
	if m.Taus[evidence.FirstByteP99] != m.Tau || m.Tau == 0 {
		t.Errorf("slow is %v, and was %v", m.Taus, m.Tau)
	}
	m.Taus = evidence.Taus{}
	s.Migrations = map[string]Migration{"orders": m}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("(-then +now)\n%s", diff)
	}
}
