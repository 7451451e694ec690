package ofrep

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/open-feature/go-sdk/openfeature"
)

// Prefix is the path below which everything is.
const Prefix = "/ofrep/v1/evaluate/flags"

// An Answer is the evaluation of one flag. Its members are those of the
// protocol.
type Answer struct {
	Key      string                `json:"key,omitempty"`
	Value    any                   `json:"value,omitempty"` // absent: the caller's default counts
	Variant  string                `json:"variant,omitempty"`
	Reason   string                `json:"reason,omitempty"`
	Metadata map[string]any        `json:"metadata,omitempty"`
	Code     openfeature.ErrorCode `json:"errorCode,omitempty"` // why there is none
	Details  string                `json:"errorDetails,omitempty"`
}

// Flags are what is evaluated. Both functions must be safe for concurrent use.
type Flags struct {
	// Evaluate answers for a flag; false: there is none of that key.
	Evaluate func(ctx context.Context, flag string, about Subject) (Answer, bool)
	// List returns the keys of all flags, sorted.
	List func() []string
}

// Handler answers the two requests of the protocol. What is said of cohorts
// and attributes counts if those who reach the handler are trusted.
func Handler(f Flags, trusted bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, ok := strings.CutPrefix(r.URL.EscapedPath(), Prefix)
		key, err := url.PathUnescape(strings.TrimPrefix(rest, "/"))
		switch {
		case !ok || err != nil || rest != "" && (rest[0] != '/' || strings.Contains(rest[1:], "/")):
			refuse(w, http.StatusNotFound, Answer{Key: key, Code: openfeature.GeneralCode, Details: "nothing is served here; ask " + Prefix})
			return
		case r.Method != http.MethodPost:
			w.Header().Set("Allow", http.MethodPost)
			refuse(w, http.StatusMethodNotAllowed, Answer{Key: key, Code: openfeature.GeneralCode, Details: "flags are evaluated by POST"})
			return
		}
		about, problem := read(w, r)
		if problem != nil {
			problem.Key = key
			refuse(w, http.StatusBadRequest, *problem)
			return
		}
		about.Trusted = trusted
		if key == "" {
			all(w, r, f, about)
			return
		}
		a, ok := f.Evaluate(r.Context(), key, about)
		switch {
		case !ok:
			refuse(w, http.StatusNotFound, Answer{Key: key, Code: openfeature.FlagNotFoundCode, Details: "there is no flag of this key"})
		case a.Code != "":
			a.Key = key
			refuse(w, http.StatusBadRequest, a)
		default:
			a.Key = key
			send(w, http.StatusOK, a)
		}
	})
}

// all evaluates every flag.
func all(w http.ResponseWriter, r *http.Request, f Flags, about Subject) {
	out := struct {
		Flags []Answer `json:"flags"`
	}{[]Answer{}}
	for _, key := range f.List() {
		if r.Context().Err() != nil {
			return
		}
		if a, ok := f.Evaluate(r.Context(), key, about); ok {
			a.Key = key
			out.Flags = append(out.Flags, a)
		}
	}
	text := encode(out)
	sum := sha256.Sum256(text)
	etag := `"` + hex.EncodeToString(sum[:16]) + `"`
	w.Header().Set("ETag", etag)
	if matches(r.Header["If-None-Match"], etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text) // the client may be gone
}

// matches reports whether If-None-Match has an entity tag (RFC 9110, section
// 13.1.2: compared weakly).
func matches(lines []string, etag string) bool {
	for _, line := range lines {
		for tag := range strings.SplitSeq(line, ",") {
			tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
			if tag == etag || tag == "*" {
				return true
			}
		}
	}
	return false
}

// refuse answers with an error.
func refuse(w http.ResponseWriter, status int, a Answer) {
	a.Value, a.Variant, a.Reason = nil, "", ""
	send(w, status, a)
}

func send(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encode(v)) // the client may be gone
}

func encode(v any) []byte {
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(v); err != nil { // escapes <, > and &
		panic(err) // values are those of a definition, or texts
	}
	return text.Bytes()
}
