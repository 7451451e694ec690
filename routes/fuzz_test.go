package routes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzConfig feeds text to everything between the bytes of a file and a table.
// Whatever the text, there is a table or there are problems, each with a place
// and a remedy, and no problem repeats a secret.
func FuzzConfig(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.yaml", "testdata/bad/*.yaml"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	const secret = "s3cr3t-p4ssw0rd"
	lookup := func(name string) (string, bool) { return secret, name == "FICUS_TEST_SECRET" }
	f.Fuzz(func(t *testing.T, text []byte) {
		l := loader{lookup: lookup}
		main := &file{source: newSource("ficus.yaml", "."), content: text}
		l.files = append(l.files, main)
		var table *Table
		err := error(nil)
		if l.decode(main, &main.Config) {
			main.Include = nil // which files there are is not of the text
			table, err = l.compile()
		} else {
			err = l.problems()
		}
		if (table == nil) == (err == nil) {
			t.Fatalf("table %v, error %v", table, err)
		}
		if table != nil {
			if len(table.Routes) == 0 || len(table.Upstreams) == 0 || len(table.Server.Listen) == 0 {
				t.Fatalf("a table that serves nothing: %+v", table)
			}
			table.Summary()
			return
		}
		for _, p := range err.(Problems) {
			if p.At.Line < 1 || p.Text == "" || p.Hint == "" {
				t.Errorf("names no line or no remedy: %v", p)
			}
			if strings.Contains(p.Error(), secret) && !strings.Contains(string(text), secret) {
				t.Errorf("repeats a secret: %v", p)
			}
		}
	})
}
