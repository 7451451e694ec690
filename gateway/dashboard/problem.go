package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
)

// A Problem is an answer that something went wrong, as RFC 9457 has it. It is
// an error too: the client returns it.
type Problem struct {
	Type     ProblemType `json:"type"`
	Title    string      `json:"title"`
	Status   int         `json:"status"`
	Detail   string      `json:"detail"`             // for people: what was wrong and what to do
	Instance string      `json:"instance,omitempty"` // path of the request

	Migration  string          `json:"migration,omitempty"`   // the one it is about
	CurrentSeq *uint64         `json:"current_seq,omitempty"` // what a change of that migration may expect now
	By         string          `json:"by,omitempty"`          // who moved it there
	Kind       string          `json:"kind,omitempty"`        // by which kind of event
	Time       *time.Time      `json:"time,omitempty"`        // when, in log time
	Reason     string          `json:"reason,omitempty"`      // and why
	Errors     []ConfigProblem `json:"errors,omitempty"`      // what is wrong with the config
}

// Error returns the detail.
func (p *Problem) Error() string { return p.Detail }

// A ProblemType names a kind of problem, as a URI. Programs may branch on it.
type ProblemType string

// The types of problem.
const (
	MovedOn         ProblemType = "urn:ficus:problem:moved-on"          // an expectation does not hold any more
	Ahead           ProblemType = "urn:ficus:problem:ahead"             // an expectation that this gateway has not read yet
	NoExpectation   ProblemType = "urn:ficus:problem:no-expectation"    // a change must say what it expects
	NoMigration     ProblemType = "urn:ficus:problem:no-such-migration" //
	NoFinding       ProblemType = "urn:ficus:problem:no-such-finding"   //
	Refused         ProblemType = "urn:ficus:problem:refused"           // the state, or the plan, does not allow it
	LogUnavailable  ProblemType = "urn:ficus:problem:log-unavailable"   //
	ConfigInvalid   ProblemType = "urn:ficus:problem:config-invalid"    // a reload changed nothing
	BadRequest      ProblemType = "urn:ficus:problem:bad-request"       //
	NoToken         ProblemType = "urn:ficus:problem:no-such-token"     //
	NotFound        ProblemType = "urn:ficus:problem:not-found"         //
	NoSuchMethod    ProblemType = "urn:ficus:problem:no-such-method"    //
	TooLarge        ProblemType = "urn:ficus:problem:too-large"         //
	NotJSON         ProblemType = "urn:ficus:problem:not-json"          //
	Unauthorized    ProblemType = "urn:ficus:problem:unauthorized"      // the token is missing or wrong
	Forbidden       ProblemType = "urn:ficus:problem:forbidden"         // the role does not allow it
	NotOwner        ProblemType = "urn:ficus:problem:not-owner"         // the migration belongs to a group that one is not in
	TooMany         ProblemType = "urn:ficus:problem:too-many"          // tries to sign in, from there
	NoProvider      ProblemType = "urn:ficus:problem:no-provider"       // the identity provider can't be asked
	CrossOrigin     ProblemType = "urn:ficus:problem:cross-origin"      // a page of another origin asked
	HostNotListed   ProblemType = "urn:ficus:problem:host-not-listed"   //
	ReadOnly        ProblemType = "urn:ficus:problem:read-only"         // changes are edits of the config
	InternalProblem ProblemType = "urn:ficus:problem:internal"          //
)

func problem(t ProblemType, status int, format string, args ...any) *Problem {
	return &Problem{Type: t, Title: titles[t], Status: status, Detail: fmt.Sprintf(format, args...)}
}

var titles = map[ProblemType]string{
	MovedOn:         "the migration has moved on",
	Ahead:           "the expectation is ahead of this gateway",
	NoExpectation:   "the change does not say what it expects",
	NoMigration:     "no such migration",
	NoFinding:       "no such finding",
	Refused:         "refused",
	LogUnavailable:  "the event log is not available",
	ConfigInvalid:   "the config is not valid",
	BadRequest:      "the request is not understood",
	NoToken:         "no such token",
	NotFound:        "not found",
	NoSuchMethod:    "method not allowed",
	TooLarge:        "the request is too large",
	NotJSON:         "the request is not JSON",
	Unauthorized:    "a token is needed",
	Forbidden:       "the role does not allow it",
	NotOwner:        "the migration belongs to others",
	TooMany:         "too many tries",
	NoProvider:      "the identity provider can't be asked",
	CrossOrigin:     "refused for pages of another origin",
	HostNotListed:   "this host is not served here",
	ReadOnly:        "changes are edits of the config",
	InternalProblem: "internal error",
}

// fail answers with p.
func fail(w http.ResponseWriter, r *http.Request, p *Problem) {
	p.Instance = r.URL.EscapedPath()
	send(w, p.Status, "application/problem+json", p)
}

// answer sends v as JSON.
func answer(w http.ResponseWriter, status int, v any) { send(w, status, "application/json", v) }

func send(w http.ResponseWriter, status int, contentType string, v any) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body) // escapes <, > and &, so that no browser takes a string for markup
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		panic(err) // the types hold plain data only
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the client may be gone
}

func (a *api) notFound(w http.ResponseWriter, r *http.Request) {
	fail(w, r, problem(NotFound, http.StatusNotFound, "nothing is served at %s; GET /api lists what is", r.URL.EscapedPath()))
}

func (a *api) methodNotAllowed(routes chi.Routes) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		allowed := ""
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
			if routes.Match(chi.NewRouteContext(), method, r.URL.EscapedPath()) {
				w.Header().Add("Allow", method)
				allowed += " " + method
			}
		}
		fail(w, r, problem(NoSuchMethod, http.StatusMethodNotAllowed, "%s is not answered here; allowed:%s", r.Method, allowed))
	}
}
