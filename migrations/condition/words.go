package condition

import (
	"fmt"
	"strings"
)

// lacks is what a condition of what a request lacks is put behind.
const lacks = 100

// kinds are the kinds of features, the most telling first, and how a sentence
// speaks of requests that have one.
var kinds = [...]struct{ kind, words string }{
	{"endpoint", "to %s"},
	{"path", "to %s"},
	{"method", "with method %s"},
	{"route", "of the route %s"},
	{"upstream", "to the upstream endpoint %s"},
	{"cell", "of the cell %s"},
	{"cohort", "of the cohort %s"},
	{"cookie", "with the cookie %s"},
	{"header", "with the header %s"},
	{"query", "with the query parameter %s"},
	{"type", "with a body of type %s"},
	{"size", "with a body of %s"},
	{"cookies", "with cookies of %s"},
	{"url", "with a URL of %s"},
	{"locale", "in the language %s"},
	{"http", "over HTTP/%s"},
	{"scheme", "over %s"},
}

// split takes a feature apart. Its kind is what stands before the first = or :.
func split(feature string) (kind, value string) {
	if i := strings.IndexAny(feature, "=:"); i >= 0 {
		return feature[:i], feature[i+1:]
	}
	return feature, ""
}

func rankOf(feature string) int {
	kind, _ := split(feature)
	for i := range kinds {
		if kinds[i].kind == kind {
			return i
		}
	}
	return len(kinds)
}

// mayLack reports whether that a request lacks a feature is a condition too.
func mayLack(feature string) bool {
	switch kind, _ := split(feature); kind {
	case "header", "cookie", "query":
		return true
	}
	return false
}

// phrase says of which requests a feature speaks.
func phrase(feature string) string {
	name, without := strings.CutPrefix(feature, "!")
	kind, value := split(name)
	words := "with " + strings.TrimSpace(kind) + " %s"
	if i := rankOf(name); i < len(kinds) {
		words = kinds[i].words
	}
	if without {
		words = strings.Replace(words, "with ", "without ", 1)
	}
	return fmt.Sprintf(words, value)
}

// say puts a finding into a sentence.
func (f Finding) say(t *table) string {
	what := t.outcome
	if what == "" {
		what = "had a request that failed or was too slow"
	}
	users := "users"
	if f.Sampled {
		users = "sampled users"
	}
	share := fmt.Sprintf("%d of %d %s %s", f.Inside.Bad, f.Inside.all(), users, what)
	switch f.Verdict {
	case Everything:
		return "nearly all requests: " + share
	case Alike:
		return "all requests alike: " + share + ", and no condition tells them apart"
	}
	var phrases []string
	for _, feature := range f.Features {
		phrases = append(phrases, phrase(feature))
	}
	only, others := "only", "with other requests"
	if f.Outside.Bad > 0 {
		only = "mostly"
	}
	if kind, _ := split(strings.TrimPrefix(f.Features[0], "!")); len(f.Features) == 1 && mayLack(kind+":") {
		others = "without it"
		if f.Features[0][0] == '!' {
			others = "with it"
		}
	}
	return fmt.Sprintf("%s requests %s: %s; %d of %d %s", only, strings.Join(phrases, " and "), share, f.Outside.Bad, f.Outside.all(), others)
}
