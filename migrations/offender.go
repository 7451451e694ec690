package migrations

// OffenderLimit bounds the offending requests that an event lists.
const OffenderLimit = 16

// An Offender is a request that speaks for a decision. Nothing in it is of the
// user: its path is told as a template.
type Offender struct {
	Method   string `json:"method"`
	Route    string `json:"route"`              // id of the route
	Endpoint string `json:"endpoint"`           // template of the path: "/api/orders/{id}"
	Status   int    `json:"status,omitempty"`   // of the answer that speaks for it, of the service or, in a hold for the monolith's sake, of the monolith; 0: there was none
	Upstream string `json:"upstream,omitempty"` // endpoint that was asked: "10.0.0.5:3001"; empty: none could be
	TraceID  string `json:"trace_id,omitempty"` // 32 hex digits
}
