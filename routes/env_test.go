package routes

import (
	"strings"
	"testing"
)

func TestInterpolation(t *testing.T) {
	env := func(name string) (string, bool) {
		value, ok := map[string]string{"A": "1", "EMPTY": "", "NESTED": "${A}"}[name]
		return value, ok
	}
	for text, want := range map[string]string{
		"plain":            "plain",
		"${A}":             "1",
		"<${A}${A}>":       "<11>",
		"$A $ {A}":         "$A $ {A}",
		"$${A}":            "${A}",
		"${MISSING:-else}": "else",
		"${MISSING:-}":     "",
		"${EMPTY:-else}":   "else",
		"${EMPTY}":         "",
		"${NESTED}":        "${A}", // a value is not looked into
		"/new/${1}":        "/new/${1}",
		"${MISSING:-a:-b}": "a:-b",
		"x$${y}z${A}":      "x${y}z1",
		"${":               "!not closed",
		"${A":              "!not closed",
		"${}":              "!not the name",
		"${A B}":           "!not the name",
		"${MISSING}":       "!MISSING is not set",
		"${MISSING:-${A}}": "${A}", // a default is plain text
	} {
		got, _, problem, hint := interpolate(text, env)
		if bad, ok := strings.CutPrefix(want, "!"); ok {
			if !strings.Contains(problem, bad) || hint == "" {
				t.Errorf("%q: %q; %q", text, problem, hint)
			}
		} else if got != want || problem != "" {
			t.Errorf("%q became %q (%s), want %q", text, got, problem, want)
		}
	}
}
