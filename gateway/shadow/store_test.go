package shadow

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

// watching makes a shadow that watches orders, with the rules of a plan.
func watching(t *testing.T, file string) (*Shadow, *Watch) {
	t.Helper()
	s := New(Options{MaskKey: []byte("key")})
	t.Cleanup(s.Close)
	if err := s.Load(file); err != nil {
		t.Fatal(err)
	}
	w, err := s.Watch(&migrations.Plan{ID: "orders", From: "monolith", To: "orders", Compare: migrations.Compare{Sample: 1}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s, w
}

// find has a mismatch found.
func find(w *Watch, path string, at time.Time) {
	w.judge.finish(w, &compare.Observation{
		Endpoint: "GET /orders/{id}", Time: at, Key: w.judge.rules.Mark("alice"),
		Result: compare.Result{Outcome: compare.Mismatch, Differences: []compare.Difference{{
			Path: path, Kind: compare.KindMissing, Agree: compare.Nothing, Count: 1,
		}}},
	})
}

func TestFindingsOutliveTheProcess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ficus.findings")
	s, w := watching(t, file)
	find(w, "$.total", time.Now())
	if err := s.Save(file); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file is %v (%v), want one that only its owner reads", info, err)
	}
	before := info.ModTime()
	if err := s.Save(file); err != nil { // nothing has changed
		t.Fatal(err)
	}
	if info, _ = os.Stat(file); !info.ModTime().Equal(before) {
		t.Error("the file was written though nothing had changed")
	}
	_, again := watching(t, file)
	if n := again.Open(time.Now()); n != 1 {
		t.Errorf("%d findings after a restart, want 1", n)
	}
	if n := again.EraseKey("alice"); n == 0 {
		t.Error("no example of alice was erased after a restart")
	}
}

func TestAFileThatCantBeReadIsSaidSo(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"cut":   {`{"version":1,"migr`, "read what was found in"},
		"newer": {`{"version":2}`, "version 2"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "ficus.findings")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			s := New(Options{})
			defer s.Close()
			if err := s.Load(file); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestFindingsThatHadToGoAreSpilledWithinACap(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spilled")
	for range 3 {
		if err := os.WriteFile(path, make([]byte, maxSpill+1), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := spill(path, []*compare.Finding{{ID: "1", Endpoint: "GET /"}}); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	var f compare.Finding
	if err != nil || json.Unmarshal(text, &f) != nil || f.ID != "1" {
		t.Errorf("spilled %q (%v)", text, err)
	}
	left, err := filepath.Glob(path + "*")
	if err != nil || len(left) != 2 {
		t.Errorf("the files are %v (%v), want two", left, err)
	}
}

func TestWhatIsPastTheRetentionIsGone(t *testing.T) {
	_, w := watching(t, "")
	now := time.Now()
	find(w, "$.old", now.Add(-8*24*time.Hour))
	find(w, "$.new", now)
	w.Sweep(now, 7*24*time.Hour)
	w.View(func(s *compare.Study) {
		all := s.Findings.All(now)
		if len(all) != 1 || all[0].Signs[0].Path != "$.new" {
			t.Errorf("findings are %+v, want only the new one", all)
		}
	})
}
