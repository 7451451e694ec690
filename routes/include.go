package routes

import (
	"os"
	"path/filepath"
	"strings"
)

// include reads the files that the main one includes. It returns false if one
// of them cannot be read at all: then nobody knows which names it declares,
// and every other complaint would be a guess.
func (l *loader) include(main *file) (complete bool) {
	complete = true
	from := map[string]Position{}
	for i, inc := range main.Include {
		at := main.root().key("include").index(i)
		if inc.Files == "" {
			at.follow("write include: routes.d/*.yaml, or {files: routes.d/*.yaml, paths: [/api/*]}", "has no files")
			continue
		}
		for j, p := range inc.Paths {
			if !strings.HasPrefix(p, "/") || strings.ContainsAny(strings.TrimSuffix(p, "*"), "*{}") {
				at.key("paths").index(j).fail("write /api/orders/* for all below, or one exact path", "%s is not a path to confine files to", at.key("paths").index(j).quote(p))
			}
		}
		files, ok := main.expand(at.key("files"), inc.Files)
		complete = complete && ok
		for _, path := range files {
			clean := filepath.Clean(path)
			if first, ok := from[clean]; ok {
				at.key("files").fail("name it once, by the pattern that confines it as it should be", "%s is included already, by line %d", path, first.Line)
				continue
			}
			from[clean] = at.at()
			if clean == filepath.Clean(main.file) {
				at.key("files").fail("leave the main file out of the pattern", "the file includes itself")
				continue
			}
			f := l.read(path, filepath.Dir(main.file))
			if f == nil {
				complete = false
				continue
			}
			f.confine = &inc
			var included IncludedConfig
			if !l.decode(f, &included) {
				complete = false
			}
			f.Upstreams, f.Migrations, f.Routes = included.Upstreams, included.Migrations, included.Routes
		}
	}
	return complete
}

// expand returns the files that a pattern means, sorted. A pattern that means
// none is fine, a missing file is not.
func (f *file) expand(at spot, pattern string) (files []string, ok bool) {
	full := pattern
	if !filepath.IsAbs(full) {
		full = filepath.Join(f.dir, full)
	}
	if !strings.ContainsAny(pattern, "*?[") {
		if _, err := os.Stat(full); err != nil {
			at.fail("write the path relative to this file", "%s cannot be read: %v", at.quote(pattern), unwrapPath(err))
			return nil, false
		}
		return []string{full}, true
	}
	found, err := filepath.Glob(full)
	if err != nil {
		at.fail("write a pattern such as routes.d/*.yaml", "%s is not a pattern of file names", at.quote(pattern))
		return nil, false
	}
	for _, path := range found {
		if !strings.HasPrefix(filepath.Base(path), ".") { // what editors leave behind
			files = append(files, path)
		}
	}
	return files, true
}

// allowsPath reports whether a file may hold a route for a path.
func (c *IncludeConfig) allowsPath(path string) bool {
	if c == nil || len(c.Paths) == 0 {
		return true
	}
	if hasDots(path) {
		return false // it may lead anywhere
	}
	for _, p := range c.Paths {
		prefix, open := strings.CutSuffix(p, "*")
		if path == p || open && path == strings.TrimSuffix(prefix, "/") && path != "" {
			return true
		}
		literal := path
		if i := strings.IndexAny(path, "{*"); i >= 0 {
			literal = path[:i]
		}
		if open && strings.HasPrefix(literal, prefix) {
			return true
		}
	}
	return false
}
