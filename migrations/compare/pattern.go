package compare

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// A pattern is a path template as a rule writes it:
//
//	$.items[*].etag      members by name, any element
//	$.items[0]           one element
//	$.users.*.seen       any member
//	$['odd name']        a name with other letters
//	$..etag              at any depth
//	$.html.body..@nonce  attributes, and elements by name
//	header.X-Foo         a response header; header.X-* all that begin so
//	cookie.sid, cookie.sid.Secure
//	text                 the lines of a plain text
//	status
type pattern struct {
	text string
	root string // "$", "header", "cookie", "text" or "status"
	segs []segment
}

type segment struct {
	name    string
	any     bool // any member, or with array any element
	array   bool
	index   int32 // with array: −1 for any
	descend bool  // any number of steps may come before this one
}

func (p *pattern) String() string { return p.text }

// matches says whether the steps from the root are exactly what the pattern
// asks for. It looks at the last step first, since most paths differ there.
func (p *pattern) matches(steps []step) bool {
	segs := p.segs
	for len(segs) > 0 {
		s := &segs[len(segs)-1]
		if len(steps) == 0 || !s.takes(&steps[len(steps)-1]) {
			return false
		}
		segs, steps = segs[:len(segs)-1], steps[:len(steps)-1]
		if s.descend {
			rest := pattern{segs: segs}
			for n := len(steps); n >= 0; n-- {
				if rest.matches(steps[:n]) {
					return true
				}
			}
			return false
		}
	}
	return len(steps) == 0
}

func (s *segment) takes(t *step) bool {
	if t.form == byIndex {
		return s.array && (s.index < 0 || s.index == t.index) || s.any && !s.array && s.descend
	}
	if s.array {
		return false
	}
	if s.any {
		return true
	}
	switch t.form {
	case byAttribute:
		return len(s.name) == len(t.name)+1 && s.name[0] == '@' && s.name[1:] == string(t.name)
	case byText:
		return s.name == "text()"
	}
	return s.name == string(t.name)
}

// parsePattern reads a pattern. Its errors say where, and what to write
// instead.
func parsePattern(text string) (pattern, error) {
	p := pattern{text: text}
	switch {
	case text == Status:
		p.root = Status
		return p, nil
	case text == "text" || text == "text[*]":
		p.root = "text"
		p.segs = []segment{{array: true, any: true, index: -1}}
		return p, nil
	case strings.HasPrefix(text, "header."):
		name := text[len("header."):]
		if name == "" || strings.ContainsAny(name, " :[]$") {
			return p, fmt.Errorf("%q names no header; write for example header.X-Request-Id", text)
		}
		p.root = "header"
		p.segs = []segment{{name: http.CanonicalHeaderKey(name)}}
		return p, nil
	case strings.HasPrefix(text, "cookie."):
		name, attribute, split := strings.Cut(text[len("cookie."):], ".")
		if name == "" || split && attribute == "" || strings.ContainsAny(name, " =;[]$") {
			return p, fmt.Errorf("%q names no cookie; write for example cookie.sid, or cookie.sid.Path", text)
		}
		p.root = "cookie"
		p.segs = []segment{{name: name}}
		if split {
			p.segs = append(p.segs, segment{name: attribute})
		}
		return p, nil
	case text == "" || text[0] != '$':
		return p, fmt.Errorf("%q: a path begins with $, header. or cookie., or is text or status; did you mean %q?", text, "$."+strings.TrimPrefix(text, "."))
	}
	p.root = "$"
	i := 1
	fail := func(format string, args ...any) (pattern, error) {
		return pattern{}, fmt.Errorf("%q, at position %d: %s", text, i+1, fmt.Sprintf(format, args...))
	}
	for i < len(text) {
		s := segment{index: -1}
		switch {
		case strings.HasPrefix(text[i:], ".."):
			s.descend = true
			i += 2
			if i < len(text) && text[i] == '[' {
				return fail("after .. comes a name, such as ..etag")
			}
		case text[i] == '.':
			i++
		case text[i] == '[':
		default:
			return fail("expected . or [")
		}
		if i < len(text) && text[i] == '[' {
			if i > 0 && text[i-1] == '.' {
				return fail("no dot before [")
			}
			end, err := p.bracket(text, i, &s)
			if err != nil {
				return fail("%v", err)
			}
			i = end
		} else {
			end := i
			for end < len(text) && text[end] != '.' && text[end] != '[' {
				end++
			}
			if end == i {
				return fail("expected a name; write * for any")
			}
			s.name = text[i:end]
			if strings.ContainsAny(s.name, " '\"]") {
				return fail("the name %q needs quotes: ['%s']", s.name, strings.Trim(s.name, "'\"]"))
			}
			s.any = s.name == "*"
			i = end
		}
		p.segs = append(p.segs, s)
		if len(p.segs) > 64 {
			return fail("more than 64 steps")
		}
	}
	return p, nil
}

// bracket reads [*], [3] or ['name'] at i and returns the index after it.
func (p *pattern) bracket(text string, i int, s *segment) (int, error) {
	if strings.HasPrefix(text[i:], "['") {
		var name strings.Builder
		for j := i + 2; j < len(text); j++ {
			switch {
			case text[j] == '\\' && j+1 < len(text):
				j++
				name.WriteByte(text[j])
			case strings.HasPrefix(text[j:], "']"):
				s.name = name.String()
				return j + 2, nil
			default:
				name.WriteByte(text[j])
			}
		}
		return 0, fmt.Errorf("no '] to end the name")
	}
	end := strings.IndexByte(text[i:], ']')
	if end < 0 {
		return 0, fmt.Errorf("missing ]; write [*] for any element, [0] for the first")
	}
	inside := text[i+1 : i+end]
	s.array = true
	if inside == "*" {
		s.any = true
		return i + end + 1, nil
	}
	n, err := strconv.ParseInt(inside, 10, 32)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("[%s] is no element; write [*] for any, [0] for the first, ['%s'] for a member", inside, strings.Trim(inside, `"'`))
	}
	s.index = int32(n)
	return i + end + 1, nil
}

// matchesName is matches for headers and cookies, where a name may end in *.
func (p *pattern) matchesName(names ...string) bool {
	if len(names) != len(p.segs) {
		return false
	}
	for i, s := range p.segs {
		if glob, ok := strings.CutSuffix(s.name, "*"); ok {
			if !strings.HasPrefix(names[i], glob) {
				return false
			}
		} else if !strings.EqualFold(s.name, names[i]) {
			return false
		}
	}
	return true
}
