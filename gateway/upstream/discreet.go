package upstream

import (
	"io"
	"regexp"
)

// A discreetError says nothing of what an error quotes: net/http quotes what
// it can't read of an answer, which may be a cookie, and errors go into logs
// and traces.
type discreetError struct{ error }

var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// Error returns the text without what it quotes.
func (e discreetError) Error() string {
	return quoted.ReplaceAllLiteralString(e.error.Error(), `"..."`)
}

func (e discreetError) Unwrap() error { return e.error }

// discreet makes an error of reading an answer discreet.
func discreet(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return discreetError{err}
}
