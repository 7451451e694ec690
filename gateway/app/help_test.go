package app

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// TestHelpOfEveryCommand holds the help to its golden files: it is read by
// people, so that every change of it is looked at.
func TestHelpOfEveryCommand(t *testing.T) {
	parser, err := kong.New(new(command), kong.Vars{"version": ""})
	if err != nil {
		t.Fatal(err)
	}
	names := []string{""}
	for _, node := range parser.Model.Children {
		names = append(names, node.Name)
		for _, child := range node.Children {
			names = append(names, node.Name+" "+child.Name)
		}
	}
	golden, err := filepath.Glob("testdata/help/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(golden) != len(names) && !*update {
		t.Errorf("%d golden files for %d commands", len(golden), len(names))
	}
	for _, name := range names {
		args, file := append(strings.Fields(name), "--help"), "testdata/help/"+strings.ReplaceAll(name, " ", "-")+".txt"
		if name == "" {
			file = "testdata/help/ficus.txt"
		}
		var out, errs bytes.Buffer
		if code := Run(t.Context(), WithArgs(args...), WithOutput(&out, &errs)); code != exitOK || errs.Len() > 0 {
			t.Errorf("%v: exit code %d, %s", args, code, &errs)
		}
		if *update {
			if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), out.String()); diff != "" {
			t.Errorf("%v (write it anew with -update if it is meant):\n%s", args, diff)
		}
	}
}
