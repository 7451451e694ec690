package ofrep

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"

	"github.com/open-feature/go-sdk/openfeature"
)

// maxBody bounds the body of a request, in bytes.
const maxBody = 64 << 10

// A Subject is whom an evaluation is about: the context of a request.
type Subject struct {
	Key        string         // targeting key; empty: none
	Attributes map[string]any // of the context, without the key; never nil
	Request    *http.Request  // with the header, cookie and query of the context
	Trusted    bool
}

// read reads the context of a request, or says in the protocol's words what is
// wrong with it.
func read(w http.ResponseWriter, r *http.Request) (s Subject, problem *Answer) {
	wrong := func(code openfeature.ErrorCode, format string, args ...any) (Subject, *Answer) {
		return s, &Answer{Code: code, Details: fmt.Sprintf(format, args...)}
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" { // what a page of another site may send without asking
		return wrong(openfeature.ParseErrorCode, "send the body with Content-Type: application/json")
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return wrong(openfeature.ParseErrorCode, "the body has more than %d bytes", maxBody)
	}
	if err != nil {
		return wrong(openfeature.ParseErrorCode, "the body could not be read")
	}
	var body struct {
		Context json.RawMessage `json:"context"`
	}
	if err := json.Unmarshal(text, &body); err != nil {
		return wrong(openfeature.ParseErrorCode, `the body is not {"context": {...}}: %.100v`, err)
	}
	s.Attributes = map[string]any{}
	if len(body.Context) > 0 && string(body.Context) != "null" {
		if err := json.Unmarshal(body.Context, &s.Attributes); err != nil {
			return wrong(openfeature.InvalidContextCode, "context must be an object")
		}
	}
	if key, ok := s.Attributes[openfeature.TargetingKey]; ok {
		if s.Key, ok = key.(string); !ok {
			return wrong(openfeature.InvalidContextCode, "%s must be a string", openfeature.TargetingKey)
		}
		delete(s.Attributes, openfeature.TargetingKey)
	}
	s.Request = imagine(s.Attributes)
	return s, nil
}

// imagine makes the request whose header, cookie and query a context tells of.
func imagine(told map[string]any) *http.Request {
	r := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/"}, Header: http.Header{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	texts := func(name string, put func(name, value string)) {
		object, _ := told[name].(map[string]any)
		for name, value := range object {
			if text, ok := value.(string); ok {
				put(name, text)
			}
		}
	}
	texts("header", r.Header.Set)
	texts("cookie", func(name, value string) {
		if c := (&http.Cookie{Name: name, Value: value}); c.Valid() == nil {
			r.Header.Add("Cookie", name+"="+value)
		}
	})
	query := url.Values{}
	texts("query", query.Set)
	r.URL.RawQuery = query.Encode()
	return r
}
