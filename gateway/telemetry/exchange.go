package telemetry

import (
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// An Exchange holds the facts of one finished request. The gateway fills it;
// this package only reads it. Any field may be left zero.
type Exchange struct {
	Start     time.Time // when the request's header had been read
	RequestID string    // id that the client or the gateway gave

	// What the client sent.
	Method     string
	Scheme     string // "http" or "https"
	Host       string // as asked for, perhaps with a port
	Target     string // raw request target; only its path is ever told
	Proto      string // "HTTP/1.1"
	ClientAddr string // of the client, as far as trusted proxies say
	Peer       string // of the other end of the connection
	UserAgent  string

	// Which route took it, and what the flag said. Flag and what follows are
	// empty on a route without a migration.
	RouteID   string
	Pattern   string // path pattern of the route
	Migration string
	Flag      string
	Stage     migrations.Stage
	Side      migrations.Side
	Variant   string
	Reason    string
	Cohort    string
	KeySource string // where the targeting key came from: "cookie:uid"; empty without a key
	KeyHash   uint64 // hash of the targeting key
	Bucket    int    // 0 to [migrations.Buckets]-1; only told with a KeySource

	// Who answered.
	Upstream string // name; empty when no upstream was asked
	Endpoint string // "http://10.0.0.5:3001" or "10.0.0.5:3001" or the path of a socket
	Attempts int    // requests sent, the transport's own retries included
	Shadow   bool   // asked for a comparison only; no client waited
	Fallback string // why the other side answered instead; empty when it did not

	// How it ended.
	Status   int    // sent to the client; 0 when none was
	ErrKind  string // word of the gateway's ladder: "connect", "timeout", "client_gone"
	Err      string // for the log and the trace, never for the client
	BytesIn  int64  // of the request's body
	BytesOut int64  // of the answer's body
	Upgraded bool   // to a WebSocket or another protocol

	// How long the parts took, one after the other. Their sum is the time to
	// the first byte.
	Match     time.Duration // to find the route
	Decide    time.Duration // to evaluate the flag
	Queue     time.Duration // to wait for a free connection
	Connect   time.Duration // to connect; 0 on a kept connection
	FirstByte time.Duration // from the request sent to the first byte of the answer
	Total     time.Duration // from Start to the last byte sent, waiting for the client included
}

// BrokenJourney is the Fallback of a request whose person was in the middle of
// something on the other side, which could not go on there. It is counted apart
// from those that the other side answered after a failure.
const BrokenJourney = "journey"

// latency returns how long the client waited: the whole exchange, or up to
// the switch of protocols on an upgraded connection, which may live for days.
func (x *Exchange) latency() time.Duration {
	if x.Upgraded {
		return x.beforeUpstream() + x.Connect + x.FirstByte
	}
	return x.Total
}

func (x *Exchange) beforeUpstream() time.Duration { return x.Match + x.Decide + x.Queue }

// end returns when the last byte was sent.
func (x *Exchange) end() time.Time { return x.Start.Add(x.Total) }
