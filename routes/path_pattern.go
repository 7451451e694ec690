package routes

import (
	"fmt"
	"regexp"
	"strings"
)

// A pattern is the compiled path of a match. Its syntax is chi's:
//
//	/api/orders         this path only
//	/api/orders/{id}    one segment, not empty
//	/{name}.json        part of a segment, up to the first "."
//	/{id:[0-9]+}        a segment that the expression matches as a whole
//	/api/orders/*       /api/orders, /api/orders/ and everything below
//
// That "/api/orders/*" also takes "/api/orders" is a prefix as the Gateway API
// and nginx users know it, and more than chi gives; a route for "/api/orders"
// itself goes first.
type pattern struct {
	text string    // as chi gets it: parameters are named by their position, expressions anchored
	key  string    // patterns in the order of their keys: most specific first
	segs []segment // between the slashes; never empty
}

// A segment is what stands between two slashes of a pattern. Its parts are
// all that is matched if it has any, else its text is.
type segment struct {
	text  string
	parts []part
	star  bool // ends in "*", which takes the rest of the path, slashes too
}

// A part is a literal or a parameter.
type part struct {
	lit  string         // empty: a parameter
	expr string         // of a parameter; empty: everything
	rex  *regexp.Regexp // expr, anchored
	end  byte           // the byte that ends a parameter; 0: the end of the segment
}

// parsePattern compiles a pattern. The error says what is wrong with it, not
// where it stands.
func parsePattern(s string) (*pattern, error) {
	if !strings.HasPrefix(s, "/") {
		return nil, fmt.Errorf("path %q does not begin with a slash", s)
	}
	p := &pattern{}
	names := map[string]bool{}
	var text, key strings.Builder
	for rest := s; rest != ""; {
		var err error
		var seg segment
		seg, rest, err = parseSegment(rest[1:], names)
		if err != nil {
			return nil, fmt.Errorf("path %q: %w", s, err)
		}
		if n := dots(seg.text); n > 0 && seg.parts == nil {
			return nil, fmt.Errorf("path %q: the segment %q can never be asked for", s, seg.text)
		}
		p.segs = append(p.segs, seg)
		text.WriteByte('/')
		seg.writeChi(&text, len(p.segs))
		seg.writeKey(&key)
	}
	p.text, p.key = text.String(), key.String()
	return p, nil
}

// parseSegment reads a segment up to the next slash and returns the rest, that
// slash first.
func parseSegment(s string, names map[string]bool) (seg segment, rest string, err error) {
	from, wild := 0, false // of the literal that is being read
	literal := func(to int) {
		if from < to {
			seg.parts = append(seg.parts, part{lit: normalText(s[from:to])})
		}
	}
	i := 0
scan:
	for i < len(s) {
		switch s[i] {
		case '/':
			break scan
		case '?', '#':
			return seg, "", fmt.Errorf("%q cannot stand in a path; query parameters have their own match", s[i])
		case '}':
			return seg, "", fmt.Errorf("a %q without its %q", '}', '{')
		case '*':
			if i+1 < len(s) {
				return seg, "", fmt.Errorf("%q must come last; one segment is matched by {name}", '*')
			}
			if wild && from == i {
				return seg, "", fmt.Errorf("%q right after a parameter", '*')
			}
			literal(i)
			seg.star, from = true, i+1
			i++
		case '{':
			if wild && from == i {
				return seg, "", fmt.Errorf("two parameters without anything between them")
			}
			literal(i)
			var p part
			n, err := parseParam(s[i:], &p, names)
			if err != nil {
				return seg, "", err
			}
			i += n
			seg.parts = append(seg.parts, p)
			from, wild = i, true
		default:
			i++
		}
	}
	literal(i)
	if !wild && !seg.star { // plain text
		seg.parts = nil
		seg.text = normalText(s[:i])
		return seg, s[i:], nil
	}
	for k := range len(seg.parts) - 1 {
		if seg.parts[k].lit == "" {
			seg.parts[k].end = seg.parts[k+1].lit[0]
		}
	}
	var b strings.Builder
	seg.writeChi(&b, 0)
	seg.text = b.String()
	return seg, s[i:], nil
}

var paramName = regexp.MustCompile(`^[\pL\pN_-]+$`)

// parseParam reads "{name}" or "{name:expr}" and returns its length.
func parseParam(s string, p *part, names map[string]bool) (int, error) {
	depth, end := 0, -1
	for i := 0; i < len(s) && end < 0; i++ {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				end = i
			}
		}
	}
	if end < 0 {
		return 0, fmt.Errorf("a %q without its %q", '{', '}')
	}
	name, expr, given := strings.Cut(s[1:end], ":")
	if name == "" {
		return 0, fmt.Errorf("a parameter without a name")
	}
	if !paramName.MatchString(name) {
		return 0, fmt.Errorf("the parameter {%s} needs a name of letters, digits, \"_\" and \"-\"", name)
	}
	if names[name] {
		return 0, fmt.Errorf("the parameter {%s} is given twice", name)
	}
	names[name] = true
	switch strings.TrimSuffix(strings.TrimPrefix(expr, "^"), "$") {
	case "":
		if given {
			return 0, fmt.Errorf("the parameter {%s:} has no expression", name)
		}
		return end + 1, nil
	case ".+", ".*", "[^/]+", "[^/]*":
		return end + 1, nil // everything, in other words
	}
	rex, err := regexp.Compile(`^(?:` + expr + `)$`)
	if err != nil {
		return 0, fmt.Errorf("the expression of {%s}: %w", name, err)
	}
	p.expr, p.rex = expr, rex
	return end + 1, nil
}

// match reports whether an absolute path matches.
func (p *pattern) match(path string) bool {
	i := 1
	for k := range p.segs {
		seg := &p.segs[k]
		if i > len(path) {
			return seg.all() // "/a" and "/a/*"
		}
		if seg.star {
			return seg.match(path[i:])
		}
		s := path[i:]
		if j := strings.IndexByte(s, '/'); j >= 0 {
			s = s[:j]
		}
		if !seg.match(s) {
			return false
		}
		i += len(s) + 1
	}
	return i > len(path)
}

// all reports whether the segment is "*".
func (s *segment) all() bool { return s.star && s.parts == nil }

// match reports whether a segment of a path, or with a star the rest of it, matches.
func (s *segment) match(text string) bool {
	if s.parts == nil {
		return s.star || s.text == text
	}
	for k := range s.parts {
		p := &s.parts[k]
		if p.lit != "" {
			if !strings.HasPrefix(text, p.lit) {
				return false
			}
			text = text[len(p.lit):]
			continue
		}
		n := len(text)
		if p.end != 0 {
			n = strings.IndexByte(text, p.end)
		}
		if n <= 0 || s.star && strings.IndexByte(text[:n], '/') >= 0 {
			return false
		}
		if p.rex != nil && !p.rex.MatchString(text[:n]) {
			return false
		}
		text = text[n:]
	}
	return s.star || text == ""
}

// writeChi writes the segment as chi reads it. Its position and that of the
// parameter make the parameter's name.
func (s *segment) writeChi(b *strings.Builder, at int) {
	if s.parts == nil && !s.star {
		b.WriteString(s.text)
		return
	}
	for i, p := range s.parts {
		switch {
		case p.lit != "":
			b.WriteString(p.lit)
		case p.rex != nil:
			fmt.Fprintf(b, "{%d_%d:%s}", at, i, p.rex)
		default:
			fmt.Fprintf(b, "{%d_%d}", at, i)
		}
	}
	if s.star {
		b.WriteByte('*')
	}
}
