package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// What a gateway has counted beside the state tells check what a guard can see.
func TestCheckSeesByThePeopleOfTheLastWeek(t *testing.T) {
	dir := t.TempDir()
	var counts evidence.Counts
	now := time.Now()
	for h := range 30 {
		at := now.Add(-time.Duration(h) * time.Hour)
		for i := range 3000 {
			counts.Week.Add(at, evidence.KeyOf(fmt.Sprint(h, i)))
		}
		counts.Burn[evidence.Legacy].Add(at, 3000, 6)
	}
	text, err := json.Marshal(map[string]evidence.Counts{"orders": counts})
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`
state: file:%s/ficus.events
upstreams: {monolith: "http://127.0.0.1:3000", orders: "http://127.0.0.1:3001"}
migrations:
  orders:
    from: monolith
    to: orders
    key: cookie:uid
    ramp: [{stage: live, share: 0.001%%}, {stage: live, share: 10%%}, {stage: complete}]
routes: [{path: /orders/*, migration: orders}, {path: /*, upstream: monolith}]
`, dir)
	for name, text := range map[string][]byte{"ficus.counts": text, "ficus.yaml": []byte(config)} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs bytes.Buffer
	if code := Run(t.Context(), WithArgs("check", "-c", filepath.Join(dir, "ficus.yaml")), WithOutput(&out, &errs)); code != exitOK {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	for _, want := range []string{"orders, by the last week's", "step 1 (live=0.001% off=99.999%): blind", "step 2 (live=10% off=90%): sees errors that rise from 0.2 %", "an outage after"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it lacks %q:\n%s", want, &out)
		}
	}
}
