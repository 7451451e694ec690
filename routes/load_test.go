package routes

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what comes out as what is wanted")

// badEnv is the environment of the bad files.
func badEnv(name string) (string, bool) {
	value, ok := map[string]string{
		"FICUS_TEST_SECRET": "s3cr3t-p4ssw0rd",
		"FICUS_TEST_SHORT":  "sh0rt",
	}[name]
	return value, ok
}

func badFiles(t *testing.T) []string {
	t.Helper()
	single, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	several, err := filepath.Glob("testdata/bad/*/ficus.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(single, several)
}

// Every bad file has a .want beside it with all that is said of it.
func TestBadFilesNameLineAndRemedy(t *testing.T) {
	files := badFiles(t)
	if len(files) < 55 {
		t.Errorf("only %d bad files", len(files))
	}
	said := regexp.MustCompile(`^testdata/bad/[^:]+(:\d+:\d+)?: [^;]+.*; \S`)
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(file, "testdata/bad/"), ".yaml")
		t.Run(name, func(t *testing.T) {
			table, err := load(file, badEnv)
			if err == nil {
				t.Fatalf("accepted: %s", table.Summary())
			}
			got := err.Error() + "\n"
			for line := range strings.Lines(got) {
				m := said.FindStringSubmatch(strings.TrimSpace(line))
				if m == nil || m[1] == "" && !strings.Contains(line, "cannot be read") {
					t.Errorf("names no line or no remedy: %s", line)
				}
			}
			for _, secret := range []string{"s3cr3t-p4ssw0rd", "sh0rt"} {
				if strings.Contains(got, secret) {
					t.Errorf("repeats a secret: %s", got)
				}
			}
			got = strings.ReplaceAll(got, "testdata/bad/", "")
			want := strings.TrimSuffix(file, ".yaml") + ".want"
			if *update {
				if err := os.WriteFile(want, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			text, err := os.ReadFile(want)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(text), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
