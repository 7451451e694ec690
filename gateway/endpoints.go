package gateway

import (
	"hash/maphash"
	"strings"

	"github.com/ficus-gateway/ficus/migrations/compare"
)

// An endpoints names the endpoints of requests: by the route's pattern where
// that says all, else by what is learned of paths. It belongs to whoever counts.
type endpoints struct {
	seed      maphash.Seed
	names     map[uint64]string // by method and path
	templates *compare.Templates
	absorbed  func(old, name string) // called when an endpoint takes another in
}

// mostNames bounds the names that are remembered; then they are learned again.
const mostNames = 4096

// of names the endpoint of a request.
func (e *endpoints) of(method, target, pattern string) string {
	path := pattern
	if strings.Contains(pattern, "*") {
		path = pathOf(target)
	}
	if e.names == nil {
		e.seed, e.names, e.templates = maphash.MakeSeed(), make(map[uint64]string), compare.NewTemplates(0)
	}
	var h maphash.Hash
	h.SetSeed(e.seed)
	_, _ = h.WriteString(method)
	_ = h.WriteByte(0)
	_, _ = h.WriteString(path)
	at := h.Sum64()
	if name, ok := e.names[at]; ok {
		return name
	}
	name := method + " " + pattern
	if path != pattern || strings.Contains(pattern, "*") {
		var old []string
		if name, old = e.templates.Endpoint(method, path); len(old) > 0 && e.absorbed != nil {
			clear(e.names)
			for _, o := range old {
				e.absorbed(o, name)
			}
		}
	}
	if len(e.names) >= mostNames {
		clear(e.names)
	}
	e.names[at] = name
	return name
}

// pathOf returns the path of a request target (RFC 9112, section 3.2).
func pathOf(target string) string {
	if i := strings.IndexByte(target, '?'); i >= 0 {
		target = target[:i]
	}
	if strings.HasPrefix(target, "/") {
		return target
	}
	if _, rest, ok := strings.Cut(target, "://"); ok { // absolute form
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			return rest[i:]
		}
		return "/"
	}
	return target
}
