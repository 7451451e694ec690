package dashboard

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxBody is the greatest number of bytes of a request's body.
const maxBody = 64 << 10

// decode reads the body of r, one JSON object, into v. An empty body leaves v
// as it is, for the caller to say what is missing.
func decode(w http.ResponseWriter, r *http.Request, v any) *Problem {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return problem(TooLarge, http.StatusRequestEntityTooLarge, "the body is larger than %d bytes", maxBody)
	}
	if err != nil {
		return problem(BadRequest, http.StatusBadRequest, "reading the body: %v", err)
	}
	if len(text) == 0 {
		return nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return problem(NotJSON, http.StatusUnsupportedMediaType, "send the body with Content-Type: application/json")
	}
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return notDecoded(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return problem(BadRequest, http.StatusBadRequest, "the body holds more than one JSON object")
	}
	return nil
}

func notDecoded(err error) *Problem {
	var (
		shares *sharesError
		syntax *json.SyntaxError
		kind   *json.UnmarshalTypeError
	)
	switch {
	case errors.As(err, &shares):
		return problem(Refused, http.StatusUnprocessableEntity, "shares: %v", shares.err)
	case errors.As(err, &syntax):
		return problem(BadRequest, http.StatusBadRequest, "the body is not JSON: %v (byte %d)", err, syntax.Offset)
	case errors.As(err, &kind) && kind.Field != "":
		return problem(BadRequest, http.StatusBadRequest, "%s: a JSON %s is not what belongs here; /api/openapi.json says what does", kind.Field, kind.Value)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return problem(BadRequest, http.StatusBadRequest, "the body ends in the middle of its JSON")
	}
	return problem(BadRequest, http.StatusBadRequest, "the body does not fit: %s; /api/openapi.json says what does", strings.TrimPrefix(err.Error(), "json: "))
}

// query returns the query of r, and refuses parameters that are not known: a
// misspelt filter must not silently answer something else.
func query(r *http.Request, known ...string) (url.Values, *Problem) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, problem(BadRequest, http.StatusBadRequest, "the query is not well formed: %v", err)
	}
	for name := range values {
		if !slices.Contains(known, name) {
			return nil, problem(BadRequest, http.StatusBadRequest, "no parameter %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	return values, nil
}

// plain makes a text of one line that a terminal and a log can show: controls
// and characters that turn the direction of writing become spaces, and past
// limit runes it is cut. It never refuses, since nobody who rolls back at night
// should be stopped by a stray character.
func plain(text string, limit int) string {
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD")))
	if utf8.RuneCountInString(text) > limit {
		text = string([]rune(text)[:limit-1]) + "…"
	}
	return text
}
