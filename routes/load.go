package routes

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds one config file; 10,000 routes take about one MiB.
const maxFile = 16 << 20

// An Override holds settings of the command line that go before the file's.
// Empty fields override nothing.
type Override struct {
	Listen string // one address, as listen: has it
	Admin  string // as admin: has it
	State  string // as state: has it
}

// Load reads, checks and compiles a config file and those that it includes.
// Its error is a [Problems] with all that is wrong in all of them. It changes
// nothing and may be called again at any time.
func Load(path string, over ...Override) (*Table, error) {
	return load(path, os.LookupEnv, over...)
}

func load(path string, lookup func(string) (string, bool), over ...Override) (*Table, error) {
	l := loader{lookup: lookup}
	main := l.read(path, filepath.Dir(path))
	if main == nil {
		return nil, l.problems()
	}
	if !l.decode(main, &main.Config) {
		return nil, l.problems()
	}
	for _, o := range over {
		o.apply(main)
	}
	if !l.include(main) {
		return nil, l.problems()
	}
	return l.compile()
}

// Default returns the table of a gateway without a config file: everything
// goes to the monolith at legacyURL.
func Default(legacyURL string, over ...Override) (*Table, error) {
	f := &file{source: newSource("", "")}
	f.Upstreams = map[string]UpstreamConfig{"monolith": {URL: OneOrMany[EndpointConfig]{{URL: legacyURL}}}}
	f.Routes = []RouteConfig{{Path: "/*", Upstream: "monolith"}}
	f.places["upstreams.monolith"] = place{path: "--legacy"}
	for _, o := range over {
		o.apply(f)
	}
	l := loader{files: []*file{f}}
	return l.compile()
}

// apply puts the command line's settings into the main file.
func (o Override) apply(f *file) {
	if o.Listen != "" {
		f.Listen = OneOrMany[ListenConfig]{{Address: o.Listen}}
		f.replace("listen", "--listen")
	}
	if o.Admin != "" {
		f.Admin.Address = o.Admin
		f.replace("admin.address", "--admin")
	}
	if o.State != "" {
		f.State = f.State.at(o.State)
		f.replace("state", "--state")
	}
}

// A file is one file of a config as it is written.
type file struct {
	*source
	Config
	content []byte
	confine *IncludeConfig // nil: it may hold everything
}

// A loader collects the files of a config.
type loader struct {
	lookup func(string) (string, bool)
	files  []*file // the main one first
}

// read adds a file, or returns nil and reports why it cannot be read.
func (l *loader) read(path, dir string) *file {
	f := &file{source: newSource(path, dir)}
	l.files = append(l.files, f)
	content, err := readBounded(path)
	if err != nil {
		f.problems = append(f.problems, Problem{At: Position{File: path}, Text: err.Error(), Hint: "check the path and the permissions"})
		return nil
	}
	f.content = content
	return f
}

// readBounded reads a regular file of a bounded size: a pipe would block the
// reload, and a core dump fill the memory.
func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", unwrapPath(err))
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("cannot be read: it is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", unwrapPath(err))
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", unwrapPath(err))
	}
	if len(content) > maxFile {
		return nil, fmt.Errorf("is larger than %d MiB", maxFile>>20)
	}
	return content, nil
}

// unwrapPath takes the path off an error; the position names it already.
func unwrapPath(err error) error {
	if pe, ok := err.(*os.PathError); ok {
		return pe.Err
	}
	return err
}

// decode fills v from a file that has been read, and reports whether there
// was a config in it.
func (l *loader) decode(f *file, v any) bool {
	before := len(f.problems)
	root := parse(f.source, f.content)
	if root == nil {
		if len(f.problems) == before {
			f.problems = append(f.problems, Problem{
				At:   Position{File: f.file, Line: 1, Col: 1},
				Text: "the file is empty",
				Hint: "write at least upstreams and routes; an included file may be deleted instead",
			})
		}
		return false
	}
	newDecoder(f.source, l.lookup).decode(root, v)
	return root.Kind == yaml.MappingNode
}

// problems returns what is wrong in all files, by file and line, nil if
// nothing is.
func (l *loader) problems() error {
	var all Problems
	for _, f := range l.files {
		all = append(all, f.sorted(f.source.problems)...)
	}
	if len(all) == 0 {
		return nil
	}
	if more := len(all) - maxProblems; more > 0 {
		all = append(all[:maxProblems:maxProblems], Problem{
			At:   all[maxProblems].At,
			Text: fmt.Sprintf("%d more problems from here", more),
			Hint: "repair those above and look again",
		})
	}
	return all
}

// sorted orders problems by where they stand, drops those said twice, and
// puts the names of variables in place of their values.
func (s *source) sorted(ps Problems) Problems {
	s.scrub(ps)
	slices.SortStableFunc(ps, func(a, b Problem) int {
		if a.At.Line != b.At.Line {
			return a.At.Line - b.At.Line
		}
		return a.At.Col - b.At.Col
	})
	return slices.Compact(ps)
}

// hash returns a hash of the content of all files, 16 hex digits.
func (l *loader) hash() string {
	h := sha256.New()
	for _, f := range l.files {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(f.content))))
		h.Write(f.content)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
