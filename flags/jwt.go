package flags

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxToken is the greatest length of a token's payload that is looked into,
// in base64 characters.
const maxToken = 16 << 10

// claim returns a claim of the bearer token of a request, or "". The token is
// not verified: its claims choose buckets, they prove nothing.
func claim(h http.Header, path string) string {
	scheme, token, _ := strings.Cut(firstValue(h["Authorization"]), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	_, rest, _ := strings.Cut(strings.TrimLeft(token, " "), ".")
	payload, _, ok := strings.Cut(rest, ".")
	if !ok || len(payload) > maxToken {
		return ""
	}
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(payload, "="))
	if err != nil {
		return ""
	}
	return member(text, path)
}

func firstValue(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// member returns the string or number that path names in a JSON object.
// A member whose name is the whole path, dots and all, goes first, since claims
// are often named by a URL; otherwise dots lead into nested objects. Objects
// that are not well-formed or repeat a name have no members.
func member(object []byte, path string) string {
	d := jsontext.NewDecoder(bytes.NewBuffer(object))
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return ""
	}
	var exact, nested string
	for d.PeekKind() == '"' {
		t, err := d.ReadToken()
		if err != nil {
			return ""
		}
		name := t.String()
		rest, inside := strings.CutPrefix(path, name+".")
		value, err := d.ReadValue()
		if err != nil {
			return ""
		}
		switch {
		case name == path:
			exact = scalar(value)
		case inside && value.Kind() == '{' && nested == "":
			nested = member(value, rest)
		}
	}
	if t, err := d.ReadToken(); err != nil || t.Kind() != '}' {
		return ""
	}
	if exact != "" {
		return exact
	}
	return nested
}

// scalar returns the text of a string, or a number as it is written.
func scalar(v jsontext.Value) string {
	switch v.Kind() {
	case '"':
		text, err := jsontext.AppendUnquote(nil, v)
		if err == nil {
			return string(text)
		}
	case '0':
		return string(v)
	}
	return ""
}
