package routes

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxProblems bounds what is reported of one config; a person repairs the
// first hundred and looks again.
const maxProblems = 100

// A source is one file that is being compiled: where each value of it stands,
// and what is wrong with it.
type source struct {
	file     string
	dir      string            // that relative files are relative to
	places   map[string]place  // by path: "routes[3].methods[0]"
	written  map[string]string // by path: the text before ${NAME} was replaced, where it was
	secrets  map[string]string // value of a variable: its name
	problems Problems
	warnings Problems
}

// A place is where a value stands, and the path that a message names: a short
// form has no keys of its own.
type place struct {
	at   Position
	path string
}

func newSource(file, dir string) *source {
	return &source{file: file, dir: dir, places: map[string]place{}, written: map[string]string{}, secrets: map[string]string{}}
}

// find returns the place of a path or, if it was not written, of the nearest
// value around it.
func (s *source) find(path string) place {
	for p := path; p != ""; p = parent(p) {
		if pl, ok := s.places[p]; ok {
			return pl
		}
	}
	if s.file == "" {
		return place{path: path}
	}
	return place{at: Position{s.file, 1, 1}, path: path}
}

// replace has a setting of the command line stand in for a value of the file.
func (s *source) replace(path, flag string) {
	for p := range s.places {
		if within(p, path) {
			delete(s.places, p)
		}
	}
	for p := range s.written {
		if within(p, path) {
			delete(s.written, p)
		}
	}
	s.places[path] = place{path: flag}
}

// parent cuts the last key or index off a path.
func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}

// within reports whether path is outer or lies in it.
func within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (rest == "" || outer == "" || rest[0] == '.' || rest[0] == '[')
}

// root returns the spot of the whole file.
func (s *source) root() spot { return spot{s, ""} }

// A spot is a value in a source.
type spot struct {
	src  *source
	path string
}

func (s spot) key(name string) spot {
	if s.path == "" {
		return spot{s.src, name}
	}
	return spot{s.src, s.path + "." + name}
}

func (s spot) index(i int) spot { return spot{s.src, s.path + "[" + strconv.Itoa(i) + "]"} }

// at returns where the value stands, or the nearest value around it.
func (s spot) at() Position { return s.src.find(s.path).at }

// written reports whether the file has this value.
func (s spot) written() bool {
	_, ok := s.src.places[s.path]
	return ok
}

// fail reports a problem with the value.
func (s spot) fail(hint, format string, args ...any) {
	pl := s.src.find(s.path)
	s.src.problems = append(s.src.problems, Problem{At: pl.at, Path: pl.path, Text: fmt.Sprintf(format, args...), Hint: hint})
}

// follow reports a problem that may be the consequence of one that has been
// reported of this value or a part of it; then it says nothing.
func (s spot) follow(hint, format string, args ...any) {
	if !s.broken() {
		s.fail(hint, format, args...)
	}
}

// broken reports whether the value or a part of it has a problem already.
func (s spot) broken() bool {
	return slices.ContainsFunc(s.src.problems, func(p Problem) bool {
		return within(p.Path, s.path) || p.Path != "" && within(s.path, p.Path)
	})
}

// warn notes something that is allowed but probably not meant.
func (s spot) warn(hint, format string, args ...any) {
	pl := s.src.find(s.path)
	s.src.warnings = append(s.src.warnings, Problem{At: pl.at, Path: pl.path, Text: fmt.Sprintf(format, args...), Hint: hint})
}

// quote writes a value for a message: as the file has it, never with the
// value of a variable.
func (s spot) quote(value string) string {
	if text, ok := s.src.written[s.path]; ok {
		return strconv.Quote(text)
	}
	return strconv.Quote(value)
}

// scrub puts the names of variables back in place of their values, in
// messages that came from further away.
func (s *source) scrub(ps Problems) {
	for value, name := range s.secrets {
		if len(value) < 4 {
			continue // too short to be a secret, and part of too many words
		}
		quoted := strconv.Quote(value)
		r := strings.NewReplacer(value, "${"+name+"}", quoted[1:len(quoted)-1], "${"+name+"}")
		for i := range ps {
			ps[i].Text, ps[i].Hint = r.Replace(ps[i].Text), r.Replace(ps[i].Hint)
		}
	}
}
