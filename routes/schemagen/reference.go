package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/ficus-gateway/ficus/routes"
)

const referenceHead = `# Configuration reference

<!-- Made by go generate from the types in routes/config*.go; edit those. -->

` + "`ficus check -c ficus.yaml`" + ` reads a file and says all that is wrong with it, each with its line and what to do about it.
` + "`ficus run --legacy http://localhost:3000`" + ` needs no file at all.

An editor with the YAML language server completes and checks the file if its first line is

` + "```yaml" + `
# yaml-language-server: $schema=` + schemaURL + `
` + "```" + `

## The whole at a glance

` + "```yaml" + `
`

const referenceForms = "```" + `

## How values are written

- **Durations**: ` + "`500ms`, `1s`, `10m`" + `; only ` + "`0`" + ` goes without a unit.
- **Percentages and shares**: ` + "`5%`, `0.1%`" + `. The smallest share of a split is ` + "`0.001%`" + `.
- **Sizes**: ` + "`512`, `64KiB`, `10MiB`, `2GiB`" + `.
- **Lists** of one item may be written without brackets: ` + "`methods: GET`" + `.
- **Quotes**: inside braces or brackets, a text with ` + "`{`, `[` or `,`" + ` needs quotes: ` + "`{path: \"/orders/{id}\", migration: orders}`" + `.
- **Environment**: ` + "`${NAME}`" + ` stands for a variable, ` + "`${NAME:-default}`" + ` for one that may be unset or empty, ` + "`$${`" + ` for a plain ` + "`${`" + `.
  It is replaced after the YAML has been read, so a variable is always one value, and its content never appears in a message.
- **Anchors** (` + "`&name`, `*name`, `<<: *name`" + `) work; top-level keys that begin with ` + "`x-`" + ` are ignored and are a place for them.
- **Names** of upstreams, migrations and routes have up to 63 letters, digits, dots, dashes and underscores.

Settings other than upstreams, migrations, routes, trusted_proxies, limits and log.access take effect at the next start; a reload that changes them says so.

## Keys
`

// A section is one type of the reference.
type section struct {
	path string
	typ  reflect.Type
}

// referenceOf returns the reference in Markdown.
func referenceOf(docs comments, source string) ([]byte, error) {
	example, err := os.ReadFile(filepath.Join(source, "testdata/good/canonical.yaml"))
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString(referenceHead + string(example) + referenceForms)
	seen := map[reflect.Type]bool{}
	todo := []section{{"", reflect.TypeFor[routes.Config]()}}
	for len(todo) > 0 {
		s := todo[0]
		todo = todo[1:]
		if seen[s.typ] {
			continue
		}
		seen[s.typ] = true
		todo = append(s.write(&b, docs), todo...)
	}
	return []byte(b.String()), nil
}

// write adds a section and returns those of the types below it.
func (s section) write(b *strings.Builder, docs comments) (below []section) {
	title := "the main file"
	if s.path != "" {
		title = "`" + s.path + "`"
	}
	fmt.Fprintf(b, "\n### %s\n\n%s\n\n| key | meaning | default |\n|---|---|---|\n", title, docs.ofType(s.typ.Name()))
	for _, f := range reflect.VisibleFields(s.typ) {
		key := f.Tag.Get("yaml")
		def := f.Tag.Get("default")
		if def != "" {
			def = "`" + def + "`"
		}
		text := docs.ofField(s.typ.Name(), f.Name)
		if words := f.Tag.Get("enum"); words != "" {
			text += " One of " + strings.ReplaceAll(words, ",", ", ") + "."
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", key, strings.ReplaceAll(text, "|", `\|`), def)
		path := key
		if s.path != "" {
			path = s.path + "." + key
		}
		t := f.Type
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
			switch t.Kind() {
			case reflect.Slice:
				path += "[]"
			case reflect.Map:
				path += ".NAME"
			}
			t = t.Elem()
		}
		if t.Kind() == reflect.Struct {
			below = append(below, section{path, t})
		}
	}
	return below
}
