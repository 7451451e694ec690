package routes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// parse reads text as one YAML document and returns its root, nil if there is
// none. What is wrong is reported to src.
func parse(src *source, text []byte) *yaml.Node {
	if p, bad := encodingProblem(src.file, text); bad {
		src.problems = append(src.problems, p)
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		src.problems = append(src.problems, syntaxProblem(src.file, text, err))
		return nil
	}
	switch err := dec.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		src.problems = append(src.problems, syntaxProblem(src.file, text, err))
	default:
		src.problems = append(src.problems, Problem{
			At:   Position{File: src.file, Line: second.Line, Col: second.Column},
			Text: "a second document begins here",
			Hint: "a file holds one document; remove the ---, or move the rest to a file that include names",
		})
	}
	if len(doc.Content) == 0 || isNull(doc.Content[0]) {
		return nil
	}
	return doc.Content[0]
}

// The parser's messages, unlike the scanner's, count lines from zero.
var countsFromZero = regexp.MustCompile(`^did not find expected (<|node content|key|'-' indicator|',' or)`)

// bareBraces is a path with a parameter in a flow mapping, where its brace
// begins another mapping.
var bareBraces = regexp.MustCompile(`\{.*path: *(/[^"',]*\{)`)

var unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced`)

// encodingProblem says where text is not UTF-8. A byte order mark of UTF-16
// makes it the parser's business.
func encodingProblem(file string, text []byte) (Problem, bool) {
	if utf8.Valid(text) || bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return Problem{}, false
	}
	line := 1
	for rest := text; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 {
			break
		}
		if r == '\n' {
			line++
		}
		rest = rest[size:]
	}
	return Problem{At: Position{file, line, 1}, Text: "this line is not UTF-8", Hint: "save the file as UTF-8"}, true
}

// syntaxProblem says where text is not YAML.
func syntaxProblem(file string, text []byte, err error) Problem {
	p := Problem{At: Position{File: file, Line: 1, Col: 1}, Hint: "check the indentation, the quotes and the brackets of this line and the one above"}
	p.Text = strings.TrimPrefix(err.Error(), "yaml: ")
	lines := bytes.Split(text, []byte("\n"))
	if rest, ok := strings.CutPrefix(p.Text, "line "); ok {
		number, said, _ := strings.Cut(rest, ": ")
		if n, err := strconv.Atoi(number); err == nil {
			p.At.Line, p.Text = n, said
		}
		if countsFromZero.MatchString(said) {
			p.At.Line++
		}
	} else if m := unknownAnchor.FindStringSubmatch(p.Text); m != nil {
		for i, line := range lines {
			if col := bytes.Index(line, []byte("*"+m[1])); col >= 0 {
				p.At.Line, p.At.Col, p.Hint = i+1, col+1, "define it before with &"+m[1]+", or put the value in quotes if it is no alias"
				break
			}
		}
	}
	p.At.Line = min(max(p.At.Line, 1), max(len(lines), 1))
	// The parser may name a neighbour of the line that is to blame.
	for n := max(p.At.Line-1, 1); n <= min(p.At.Line+1, len(lines)); n++ {
		line := lines[n-1]
		indent := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]
		if tab := bytes.IndexByte(indent, '\t'); tab >= 0 {
			p.At.Line, p.At.Col = n, tab+1
			p.Text, p.Hint = "a tab indents this line", "YAML is indented with spaces only"
			break
		}
		if at := bareBraces.FindSubmatchIndex(line); at != nil {
			p.At.Line, p.At.Col = n, at[2]+1
			p.Text, p.Hint = "a path with { stands outside of quotes", `put it in quotes: {path: "/orders/{id}", ...}`
			break
		}
		if bytes.Contains(line, []byte("[*]")) {
			p.At.Line, p.At.Col = n, bytes.Index(line, []byte("[*]"))+1
			p.Text, p.Hint = "[*] stands outside of quotes", `put such a path in quotes: ["$.items[*].etag"]`
			break
		}
	}
	p.Text = "this is not YAML: " + p.Text
	return p
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// kind says what a node is, for a message.
func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case "!!null":
		return "nothing"
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	}
	return "text"
}

// A pair is a key of a mapping and its value.
type pair struct{ key, value *yaml.Node }

// pairs returns the keys of a mapping, each once, those of merged mappings
// (<<) last and only where they are not given.
func (d *decoder) pairs(n *yaml.Node, at spot) []pair {
	var out []pair
	lines := map[string]int{}
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := d.resolve(n.Content[i]), n.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode:
			d.failAt(n.Content[i], at, "a key must be text", "write it as name: value")
			continue
		case key.Tag == "!!merge":
			merged = append(merged, value)
			continue
		}
		if line, ok := lines[key.Value]; ok {
			d.failAt(n.Content[i], at.key(key.Value), fmt.Sprintf("given twice, first on line %d", line), "remove one of them")
			continue
		}
		lines[key.Value] = key.Line
		out = append(out, pair{key, value})
	}
	for _, m := range merged {
		m = d.resolve(m)
		sources := []*yaml.Node{m}
		if m.Kind == yaml.SequenceNode {
			sources = m.Content
		}
		for _, s := range sources {
			s = d.resolve(s)
			if s.Kind != yaml.MappingNode {
				d.failAt(m, at, "<< merges mappings, this is "+kind(s), "write it as <<: *name, with an anchor on a mapping")
				continue
			}
			if !d.enter(s, at) {
				continue
			}
			for _, p := range d.pairs(s, at) {
				if _, ok := lines[p.key.Value]; !ok {
					lines[p.key.Value] = p.key.Line
					out = append(out, p)
				}
			}
			d.leave()
		}
	}
	return out
}

// resolve follows an alias to what it stands for.
func (d *decoder) resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	return n
}
