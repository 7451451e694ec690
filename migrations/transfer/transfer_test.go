package transfer_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/filelog"
	"github.com/ficus-gateway/ficus/migrations/transfer"
)

// written makes a file log, and returns its path, its text and its state.
func written(t *testing.T) (path, text string, state migrations.State) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "ficus.events")
	log, err := filelog.Open(path, filelog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	for i := range 20 {
		id := fmt.Sprint("m", i)
		if _, err := log.Append(t.Context(), 0,
			migrations.Event{Migration: id, Kind: migrations.Created, From: "monolith", To: id},
			migrations.Event{Migration: id, Kind: migrations.Held, Actor: "alice", Reason: "<why> & wherefore"},
		); err != nil {
			t.Fatal(err)
		}
	}
	if state, err = migrations.Latest(t.Context(), log); err != nil {
		t.Fatal(err)
	}
	bytes, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, string(bytes), state
}

func TestExportOfAFileLogIsTheFile(t *testing.T) {
	path, text, state := written(t)
	log, err := filelog.OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	summary, err := transfer.Export(t.Context(), log, &out)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != text {
		t.Error("the export is not the file")
	}
	if summary.Events != 40 || summary.First != 1 || summary.Last != 40 {
		t.Errorf("%+v", summary)
	}
	if diff := cmp.Diff(state, summary.State); diff != "" {
		t.Error(diff)
	}
	again, err := transfer.Verify(&out)
	if diff := cmp.Diff(summary, again); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestVerifyNamesTheLine(t *testing.T) {
	_, text, _ := written(t)
	lines := strings.SplitAfter(text, "\n")
	for name, c := range map[string]struct{ text, want string }{
		"changed":     {strings.Replace(text, "wherefore", "therefore", 1), "line 2: the hash does not fit"},
		"taken out":   {lines[0] + lines[2], "line 2: the hash does not fit"},
		"swapped":     {lines[0] + lines[1] + lines[3] + lines[2], "line 3: the hash does not fit"},
		"cut":         {text[:len(text)-2], "line 40 does not end with a line feed"},
		"half append": {strings.Join(lines[:39], ""), "line 39: the log ends inside of an append: 1 more"},
		"rubbish":     {"hello\n", "line 1: not a line of the log"},
		"blank":       {"\n", "line 1: not a line of the log"},
	} {
		if _, err := transfer.Verify(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if s, err := transfer.Verify(strings.NewReader("")); err != nil || s.Events != 0 {
		t.Errorf("an empty log: %+v, %v", s, err)
	}
}

func TestImportedFileIsALog(t *testing.T) {
	_, text, state := written(t)
	path := filepath.Join(t.TempDir(), "ficus.events")
	if _, err := transfer.ImportFile(strings.NewReader(text), path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	log, err := filelog.Open(path, filelog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	got, err := migrations.Latest(t.Context(), log)
	if diff := cmp.Diff(state, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if _, err := transfer.ImportFile(strings.NewReader(text), path); err == nil || !strings.Contains(err.Error(), "move it away first") {
		t.Errorf("imported over a log: %v", err)
	}
	if _, err := transfer.Import(t.Context(), strings.NewReader(text), log); err == nil {
		t.Error("imported into an open file log")
	}
}

func TestRefusedImportLeavesNoFile(t *testing.T) {
	_, text, _ := written(t)
	dir := t.TempDir()
	for _, bad := range []string{"", text[:len(text)-1], strings.Replace(text, "wherefore", "therefore", 1)} {
		if _, err := transfer.ImportFile(strings.NewReader(bad), filepath.Join(dir, "ficus.events")); err == nil {
			t.Error("it was imported")
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left over: %v", left)
	}
}

// Whatever is read: what is verified can be imported and opened, and nothing
// else can.
func FuzzVerify(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		summary, err := transfer.Verify(bytes.NewReader(text))
		if err == nil && summary.Events != bytes.Count(text, []byte("\n")) {
			t.Fatalf("%d events in %d lines", summary.Events, bytes.Count(text, []byte("\n")))
		}
		path := filepath.Join(t.TempDir(), "ficus.events")
		if _, importErr := transfer.ImportFile(bytes.NewReader(text), path); (importErr == nil) != (err == nil && summary.Events > 0) {
			t.Fatalf("verified: %v, imported: %v", err, importErr)
		} else if importErr == nil {
			log, err := filelog.Open(path, filelog.Options{})
			if err != nil {
				t.Fatal(err)
			}
			log.Close()
		}
	})
}
