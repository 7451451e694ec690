package main_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ficus-gateway/ficus/gateway/app"
	"github.com/ficus-gateway/ficus/routes"
)

// A page is one file of the documentation.
type page struct {
	path, text string
}

// A block is what stands between two fences of a page.
type block struct {
	page string
	line int
	lang string
	text string
}

func (b block) String() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

func readPages(t *testing.T) []page {
	t.Helper()
	var pages []page
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || len(d.Name()) > 1 && d.Name()[0] == '.'):
			return fs.SkipDir
		case filepath.Ext(path) == ".md":
			pages = append(pages, page{path, readFile(t, path)})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// blocks returns the fenced blocks of a page, and its text without them.
func (p page) blocks() (blocks []block, prose string) {
	var rest []string
	in := -1
	for i, line := range strings.Split(p.text, "\n") {
		lang, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence && in < 0:
			blocks = append(blocks, block{p.path, i + 2, lang, ""})
			in = len(blocks) - 1
		case fence:
			in = -1
		case in >= 0:
			blocks[in].text += line + "\n"
		default:
			rest = append(rest, line)
		}
	}
	return blocks, strings.Join(rest, "\n")
}

// section returns what stands below a heading.
func section(t *testing.T, text, heading string) string {
	t.Helper()
	_, after, ok := strings.Cut(text, "\n"+heading+"\n")
	if !ok {
		t.Fatalf("no heading %q", heading)
	}
	before, _, _ := strings.Cut(after, "\n## ")
	return before
}

// help returns what the command says of itself, or of one of its commands.
func help(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := app.Run(t.Context(), app.WithArgs(append(args, "--help")...), app.WithOutput(&out, &errs)); code != 0 {
		return ""
	}
	text := out.String()
	for _, child := range firsts(regexp.MustCompile(`(?m)^  `+strings.Join(args, " ")+` ([a-z]+) `), text) {
		text += help(t, append(slices.Clone(args), child)...)
	}
	return text
}

var (
	codeSpan   = regexp.MustCompile("`[^`\n]+`")
	invocation = regexp.MustCompile("(?:^|[;&|(/`])\\s*(?:ficus|go run \\.) ([a-z][a-z-]*)([^\n|;&#`]*)")
	makeTarget = regexp.MustCompile("(?:^|[;&`])\\s*make ([a-z]+)")
	longFlag   = regexp.MustCompile(`(?:^|\s)(--[a-z][a-z-]*)`)
)

func TestDocsNameCommandsThatExist(t *testing.T) {
	helps := map[string]string{}
	makefile := readFile(t, "Makefile")
	for _, p := range readPages(t) {
		blocks, prose := p.blocks()
		code := codeSpan.FindAllString(prose, -1)
		for _, b := range blocks {
			if b.lang == "sh" {
				code = append(code, strings.Split(b.text, "\n")...)
			}
		}
		for _, text := range code {
			for _, m := range makeTarget.FindAllStringSubmatch(text, -1) {
				if !strings.Contains(makefile, "\n"+m[1]+":") {
					t.Errorf("%s: there is no %q", p.path, "make "+m[1])
				}
			}
			for _, m := range invocation.FindAllStringSubmatch(text, -1) {
				command, rest := m[1], m[2]
				if command == "carica" { // the tree, and the shop's password
					continue
				}
				if _, known := helps[command]; !known {
					helps[command] = help(t, command)
				}
				if helps[command] == "" {
					t.Errorf("%s: there is no %q: %s", p.path, "ficus "+command, text)
					continue
				}
				for _, f := range longFlag.FindAllStringSubmatch(rest, -1) {
					if !strings.Contains(helps[command], f[1]) {
						t.Errorf("%s: %q has no %s: %s", p.path, "ficus "+command, f[1], text)
					}
				}
			}
		}
	}
	if len(helps) < 8 {
		t.Errorf("the docs name %d commands only; does the search still work?", len(helps))
	}
}

// base is what a part of a config needs to be a whole one.
var base = []struct{ key, text string }{
	{"upstreams", "upstreams: {monolith: http://127.0.0.1:3000}"},
	{"routes", "routes: [{path: /*, upstream: monolith}]"},
}

func TestDocsShowConfigsThatLoad(t *testing.T) {
	t.Setenv("FICUS_SECRET", strings.Repeat("s", 32))
	t.Setenv("FLAGS_TOKEN", strings.Repeat("t", 32))
	t.Setenv("FICUS_OFREP_TOKEN", strings.Repeat("t", 32))
	loaded := 0
	for _, p := range readPages(t) {
		blocks, _ := p.blocks()
		for _, b := range blocks {
			if b.lang != "yaml" || strings.HasPrefix(b.text, "apiVersion:") {
				continue
			}
			text := b.text
			for _, part := range base {
				if !regexp.MustCompile(`(?m)^` + part.key + `:`).MatchString(text) {
					text += part.text + "\n"
				}
			}
			file := filepath.Join(t.TempDir(), "ficus.yaml")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			table, err := routes.Load(file)
			if err != nil {
				t.Errorf("%s: %v", b, err)
				continue
			}
			loaded++
			for _, w := range table.Warnings {
				t.Logf("%s: %v", b, w)
			}
		}
	}
	if loaded < 8 {
		t.Errorf("%d configs found only; does the search still work?", loaded)
	}
}

func TestDocsShowProgramsThatBuild(t *testing.T) {
	for _, p := range readPages(t) {
		blocks, _ := p.blocks()
		for _, b := range blocks {
			if b.lang != "go" || !strings.HasPrefix(b.text, "package main\n") {
				continue
			}
			file := filepath.Join(t.TempDir(), "main.go")
			if err := os.WriteFile(file, []byte(b.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command("go", "vet", file).CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", b, err, out)
			}
		}
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	notSlug = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors returns what links to the headings of a page end in, as GitHub makes them.
func anchors(text string) (list []string) {
	_, prose := page{text: text}.blocks()
	for _, m := range heading.FindAllStringSubmatch(prose, -1) {
		list = append(list, strings.ReplaceAll(notSlug.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return list
}

func TestDocsLinkToWhatExists(t *testing.T) {
	for _, p := range readPages(t) {
		_, prose := p.blocks()
		for _, m := range link.FindAllStringSubmatch(prose, -1) {
			u, err := url.Parse(m[1])
			if err != nil {
				t.Errorf("%s: %v", p.path, err)
				continue
			}
			if u.Scheme != "" {
				continue
			}
			target := p.path
			if u.Path != "" {
				target = filepath.Join(filepath.Dir(p.path), u.Path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %s leads nowhere", p.path, m[1])
				continue
			}
			if u.Fragment != "" && !slices.Contains(anchors(readFile(t, target)), u.Fragment) {
				t.Errorf("%s: %s has no such heading", p.path, m[1])
			}
		}
	}
}

func TestDecisionsAreIndexed(t *testing.T) {
	files, err := filepath.Glob("docs/adr/0*.md")
	if err != nil || len(files) == 0 {
		t.Fatal("no decisions", err)
	}
	index := readFile(t, "docs/adr/README.md")
	for i, file := range files {
		text := readFile(t, file)
		title, rest, _ := strings.Cut(text, "\n")
		number := fmt.Sprintf("# %d. ", i+1)
		status, _, _ := strings.Cut(strings.TrimPrefix(rest, "\nStatus: "), "\n")
		if !strings.HasPrefix(title, number) || !strings.HasPrefix(rest, "\nStatus: ") {
			t.Errorf("%s begins with %q and no status, or another number than %d", file, title, i+1)
			continue
		}
		row := fmt.Sprintf("| %04d | [%s](%s) | %s |", i+1, strings.TrimPrefix(title, number), filepath.Base(file), status)
		if !strings.Contains(index, row) {
			t.Errorf("docs/adr/README.md lacks the row\n%s", row)
		}
	}
}
