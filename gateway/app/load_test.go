package app

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// Before a rollback somebody is told what it brings the monolith, if that is
// more than it has carried of late; and the event keeps it.
func TestALargeRollbackSaysWhatTheMonolithLastCarried(t *testing.T) {
	dir := t.TempDir()
	var counts evidence.Counts
	for minutes := range 10 {
		at := time.Now().Add(-time.Duration(minutes) * time.Minute)
		counts.Burn[evidence.Legacy].Add(at, 50, 0)
		counts.Burn[evidence.Modern].Add(at, 4000, 0)
	}
	text, err := json.Marshal(map[string]evidence.Counts{"orders": counts})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ficus.counts"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := tryStart(t, dir, anywhere+twoMigrations(t))
	if err != nil {
		t.Fatal(err)
	}
	r.shift("orders", 90)
	m, err := r.client.Migration(t.Context(), "orders")
	if err != nil || m.WayBack == nil || !m.WayBack.New || m.WayBack.Coming != 3645 || m.WayBack.Now != 405 { // 4050 in all, of which 90 % have just gone over
		t.Fatalf("%+v, %v", m.WayBack, err)
	}
	run := func(args ...string) (string, string) {
		t.Helper()
		var out, errs bytes.Buffer
		args = append(args, "--admin", r.admin, "--token-file", filepath.Join(dir, "ficus.token"), "--why", "complaints")
		if code := Run(t.Context(), WithArgs(args...), WithOutput(&out, &errs)); code != exitOK {
			t.Errorf("%v: exit code %d, %s", args, code, &errs)
		}
		return out.String(), errs.String()
	}
	out, errs := run("rollback", "orders")
	if !strings.Contains(errs, "warning: orders: rolling back adds 3645 requests/min to the monolith (now 405/min; highest 15 minutes of 3 days:") || !strings.Contains(out, "orders: off=100%, rolled back") {
		t.Errorf("%s%s", out, errs)
	}
	h, err := r.client.Migration(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	d, err := r.client.Decision(t.Context(), h.Seq)
	if err != nil || d.Load == nil || d.Load.Coming != 3645 || d.Tested {
		t.Errorf("%+v, %v", d, err)
	}
	// One that brings nothing warns of nothing.
	if _, errs := run("rollback", "carts"); errs != "" {
		t.Errorf("it warns: %s", errs)
	}
}
