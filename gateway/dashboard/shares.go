package dashboard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ficus-gateway/ficus/migrations"
)

// Shares are the shares that a shift names. In JSON they are a text, "live=5%
// shadow=95%", or an object, {"live": "5%"}.
type Shares []migrations.Share

// A sharesError says what is wrong with shares that are well-formed JSON.
type sharesError struct{ err error }

func (e *sharesError) Error() string { return e.err.Error() }

// MarshalJSON writes the text form.
func (s Shares) MarshalJSON() ([]byte, error) {
	parts := make([]string, len(s))
	for i, share := range s {
		parts[i] = string(share.Stage) + "=" + migrations.Percent(share.Buckets)
	}
	return json.Marshal(strings.Join(parts, " "))
}

// UnmarshalJSON reads both forms. It keeps a stage that is named twice, for
// [migrations.Shift] to refuse.
func (s *Shares) UnmarshalJSON(text []byte) error {
	args, err := sharesArgs(text)
	if err == nil {
		*s, err = migrations.ParseShares(args...)
	}
	if err != nil {
		return &sharesError{err}
	}
	return nil
}

func sharesArgs(text []byte) ([]string, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	first, err := dec.Token()
	if err != nil {
		return nil, err
	}
	if line, ok := first.(string); ok {
		return strings.Fields(line), nil
	}
	if first != json.Delim('{') {
		return nil, errors.New(`write them as "live=5% shadow=95%" or {"live": "5%", "shadow": "95%"}`)
	}
	var args []string
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, err
		}
		var share any
		if err := dec.Decode(&share); err != nil {
			return nil, err
		}
		percent, ok := share.(string)
		if !ok {
			return nil, fmt.Errorf(`%v: write the share as a text, "5%%"`, name)
		}
		args = append(args, fmt.Sprintf("%v=%s", name, percent))
	}
	return args, nil
}
