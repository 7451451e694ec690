package routes

import (
	"fmt"
	"strings"
)

// interpolate replaces ${NAME} and ${NAME:-default} in text by variables;
// $${ stands for ${. A brace that a digit follows is left alone, so that
// ${1} in a rewrite means the first group. It returns the values it used, by
// name, and an error for a person who sees only the text.
func interpolate(text string, lookup func(string) (string, bool)) (out string, used map[string]string, problem, hint string) {
	if !strings.Contains(text, "${") {
		return text, nil, "", ""
	}
	var b strings.Builder
	for rest := text; ; {
		i := strings.Index(rest, "${")
		if i < 0 {
			b.WriteString(rest)
			return b.String(), used, "", ""
		}
		if i > 0 && rest[i-1] == '$' {
			b.WriteString(rest[:i-1] + "${")
			rest = rest[i+2:]
			continue
		}
		b.WriteString(rest[:i])
		rest = rest[i+2:]
		if rest != "" && rest[0] >= '0' && rest[0] <= '9' {
			b.WriteString("${")
			continue
		}
		inner, after, closed := strings.Cut(rest, "}")
		name, fallback, hasFallback := strings.Cut(inner, ":-")
		switch {
		case !closed:
			return "", used, "${ is not closed", "write ${NAME} for a variable, or $${ for a plain ${"
		case !isVariable(name):
			return "", used, fmt.Sprintf("%q is not the name of a variable", name), "write ${NAME} or ${NAME:-default} with letters, digits and _, or $${ for a plain ${"
		}
		value, ok := lookup(name)
		switch {
		case ok && (value != "" || !hasFallback):
			if used == nil {
				used = map[string]string{}
			}
			used[name] = value
			b.WriteString(value)
		case hasFallback:
			b.WriteString(fallback)
		default:
			return "", used, fmt.Sprintf("the variable %s is not set", name), fmt.Sprintf("set it in the environment, or give a default: ${%s:-value}", name)
		}
		rest = after
	}
}

func isVariable(name string) bool {
	for i, c := range []byte(name) {
		letter := c == '_' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
