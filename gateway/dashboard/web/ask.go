package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/go-chi/chi/v5"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
)

// get asks the API as whoever sent r.
func get[T any](s *site, r *http.Request, path string, query url.Values) (T, *dashboard.Problem) {
	return ask[T](s, r, http.MethodGet, path, query, nil)
}

// post changes something by the API as whoever sent r.
func post[T any](s *site, r *http.Request, path string, body any) (T, *dashboard.Problem) {
	return ask[T](s, r, http.MethodPost, path, nil, body)
}

func ask[T any](s *site, r *http.Request, method, path string, query url.Values, body any) (out T, p *dashboard.Problem) {
	answer := newAnswer()
	s.api.ServeHTTP(answer, inner(r, method, path, query, body))
	text := answer.body.Bytes()
	if answer.status >= 400 {
		p = new(dashboard.Problem)
		if err := json.Unmarshal(text, p); err != nil || p.Detail == "" {
			p.Status, p.Detail = answer.status, http.StatusText(answer.status)
		}
		return out, p
	}
	if err := json.Unmarshal(text, &out); err != nil {
		return out, &dashboard.Problem{Status: http.StatusInternalServerError, Type: dashboard.InternalProblem, Detail: fmt.Sprintf("%s %s: the answer is not what was expected: %v", method, path, err)}
	}
	return out, nil
}

// inner makes the request to the API: from the same person, with the same
// context, which says who that is, and nothing else of what the browser sent.
func inner(r *http.Request, method, path string, query url.Values, body any) *http.Request {
	var text []byte
	if body != nil {
		text, _ = json.Marshal(body) // our own types
	}
	ctx := context.WithValue(r.Context(), chi.RouteCtxKey, (*chi.Context)(nil)) // the API has a router of its own
	in, err := http.NewRequestWithContext(ctx, method, path, bytes.NewReader(text))
	if err != nil {
		panic(err) // our own methods and paths
	}
	in.URL.RawQuery = query.Encode()
	in.Host, in.RemoteAddr, in.RequestURI = r.Host, r.RemoteAddr, in.URL.RequestURI()
	if body != nil {
		in.Header.Set("Content-Type", "application/json")
	}
	if parent := r.Header.Get("Traceparent"); parent != "" {
		in.Header.Set("Traceparent", parent)
	}
	return in
}

// escape makes one segment of a path.
func escape(segment string) string { return url.PathEscape(segment) }

// An answer is kept in memory: the API is in this process, and bounds what it says.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newAnswer() *answer { return &answer{header: http.Header{}, status: http.StatusOK} }

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }
