package compare

import "net/http"

// An Answer is what one side said. Body may be the beginning only, as far as
// it was captured; Hash and Length are of the whole, as it was on the wire.
type Answer struct {
	Status    int
	Header    http.Header
	Body      []byte   // as on the wire, Content-Encoding not yet undone
	Truncated bool     // Body is not the whole
	Hash      [32]byte // of the whole body, any function as long as both sides use the same; zero: not known
	Length    int64    // of the whole body; ignored without Hash
	Failure   Outcome  // [Failed] or [TimedOut] if there was no answer; then the rest is empty
}

// failing says whether the side failed to serve: no answer, or one of 500 and
// above.
func (a *Answer) failing() bool { return a.Failure != "" || a.Status >= 500 }

// SetsCookie says whether the answer sets any cookie. A request without
// cookies whose answer sets one is a first visit: each side draws its own
// variant, so such observations are compared under an endpoint of their own
// (see [FirstVisit]).
func (a *Answer) SetsCookie() bool { return len(a.Header["Set-Cookie"]) > 0 }

// FirstVisit is the endpoint under which the first visits to an endpoint are
// counted.
func FirstVisit(endpoint string) string { return endpoint + " (first visit)" }
