package web

import (
	"context"
	"net/http"
	"net/url"
)

// A reader is a context that ends by itself and knows who somebody is.
type reader struct {
	context.Context
	who context.Context
}

func (r reader) Value(key any) any { return r.who.Value(key) }

// topic returns what renders the parts of the page that a stream asks for, and
// the key that tells it from others; nil if there is no such page. What is
// rendered holds nothing that is meant for one person.
func (s *site) topic(r *http.Request) (render func(context.Context) ([]part, error), key string) {
	q := r.URL.Query()
	as := func(ctx context.Context) *http.Request { return r.Clone(reader{ctx, r.Context()}) }
	frame := func(req *http.Request, more []part, err error) ([]part, error) {
		if err != nil {
			return nil, err
		}
		around, err := s.parts("overview", s.chrome(req), "status")
		return append(around, more...), err
	}
	switch q.Get("page") {
	case "overview":
		f := overviewFilterOf(q)
		return func(ctx context.Context) ([]part, error) {
			req := as(ctx)
			o, p := s.overview(req, f)
			if p != nil {
				return nil, p
			}
			more, err := s.parts("overview", o, "tree", "growth", "migrations", "latest", "upstreams")
			return frame(req, more, err)
		}, "overview?" + f.query().Encode()
	case "migration":
		id := q.Get("id")
		return func(ctx context.Context) ([]part, error) {
			req := as(ctx)
			m, p := s.migration(req, id)
			if p != nil {
				return nil, p
			}
			more, err := s.parts("migration", m, migrationParts...)
			return frame(req, more, err)
		}, "migration?" + url.Values{"id": {id}}.Encode()
	case "frame":
		return func(ctx context.Context) ([]part, error) { return frame(as(ctx), nil, nil) }, "frame"
	}
	return nil, ""
}
