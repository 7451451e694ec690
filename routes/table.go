package routes

import (
	"net/netip"
	"net/url"
	"regexp"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// A Table is a config that has been read, checked and compiled. It is
// immutable: a reload makes a new one.
type Table struct {
	File      string                      // main file; empty without one
	Files     []string                    // all files read, the main one first
	Dirs      []string                    // where patterns of include: look for files, found or not
	Hash      string                      // of the content of all files, 16 hex digits
	Routes    []*Route                    // most specific first
	Upstreams map[string]*Upstream        // by name
	Plans     map[string]*migrations.Plan // by migration id
	Server    Server                      // what only a restart changes
	Trusted   []netip.Prefix              // peers whose forwarding headers count
	Limits    Limits
	Hooks     []*Hook   // who is told what happens
	Access    bool      // write the access log
	Changes   Changes   // where migrations are changed
	Warnings  []Problem // what is allowed but probably not meant

	matcher *matcher
	at      map[string]Position // by config path, of what a later message may point at
}

// A Server holds the settings that are fixed while the process runs; a reload
// that changes them is reported and takes effect at the next start.
type Server struct {
	Listen    []Listener
	Admin     Admin
	State     string // "file:PATH", or the URL of a Redis
	Redis     *Redis // nil: the state is a file
	Flags     Flags
	OFREP     OFREP
	Secret    string // key material of signed cookies; empty: kept in a file beside the state
	Shutdown  Shutdown
	Telemetry Telemetry
	LogLevel  string // debug, info, warn or error
}

// A Listener is one address that clients connect to.
type Listener struct {
	Network       string         // "tcp", "unix", or "fd" for a socket with a name that the service manager brings along
	Address       string         // host:port, path or name of the socket
	TLS           []Certificate  // empty: plain text
	H2C           bool           // HTTP/2 without TLS, by prior knowledge
	ProxyProtocol []netip.Prefix // peers that must send a PROXY protocol header; empty: none may
}

// A Certificate names the files of a certificate; they are read again when they change.
type Certificate struct{ Cert, Key string }

// Admin says where the operators' listener is. It is never a public one (law 10).
type Admin struct {
	Address string   // host:port; empty: none
	Socket  string   // path of a unix socket; empty: none
	Hosts   []string // host names that requests may ask for, besides addresses of the loopback
	Token   string   // path of the token file

	TLS             []Certificate // of the address; empty: plain text
	URL             string        // by which people reach it, without a final slash; empty: the address
	SessionIdle     time.Duration // after which a session ends that nobody uses
	SessionLifetime time.Duration // after which every session ends
	OIDC            *OIDC         // nil: people sign in by token only
}

// Shutdown says how the process ends.
type Shutdown struct {
	Delay   time.Duration // between readiness going off and the listeners closing
	Timeout time.Duration // for requests and upgraded connections to finish
}

// Telemetry says where traces go. The zero value exports none.
type Telemetry struct {
	OTLP    string  // URL of an OTLP/HTTP collector; empty: no export
	Sample  float64 // share of traces kept, 0 to 1, where the caller has not decided
	Service string  // service.name
	Headers map[string]string
}

// Limits bound what a client may send. Zero values are filled by the defaults.
type Limits struct {
	HeaderBytes int           // of a request's header
	BodyBytes   int64         // of a request's body; 0: no limit
	HeaderTime  time.Duration // for the header to arrive
	IdleTime    time.Duration // of a kept-alive connection
	BodySilence time.Duration // between two reads of a request's body; 0: no limit
}

// An Upstream is a named group of endpoints.
type Upstream struct {
	Name        string
	Endpoints   []Endpoint
	Protocol    Protocol
	Host        HostMode
	HostName    string // with HostName mode
	Timeouts    Timeouts
	Health      *Health      // nil: endpoints are taken for healthy until they fail
	Acknowledge *Acknowledge // nil: copies of writes are never sent to it
	TLS         UpstreamTLS
	MaxIdle     int // kept-alive connections per endpoint
	MaxConns    int // connections per endpoint; 0: no limit
}

// An Endpoint is one address of an upstream.
type Endpoint struct {
	Scheme string // "http" or "https"
	Host   string // host:port, always with a port; the text "localhost" for a unix socket
	Socket string // path of a unix socket, if it is one
	Weight int    // at least 1
}

// A Protocol is how an upstream is spoken to.
type Protocol string

// The protocols. HTTP2 is h2c by prior knowledge on http, ALPN h2 on https.
const (
	HTTP1 Protocol = "http1"
	HTTP2 Protocol = "http2"
)

// HostMode says which Host an upstream sees.
type HostMode string

// The host modes.
const (
	HostPreserve HostMode = "preserve" // what the client asked for
	HostUpstream HostMode = "upstream" // the endpoint's own
	HostLiteral  HostMode = "literal"  // a fixed name
)

// Timeouts bound the waits for an upstream. All measure silence, not
// duration, except Request. Zero means no limit.
type Timeouts struct {
	Connect  time.Duration // to connect, TLS included
	Response time.Duration // from the request sent to the first byte of the answer's header
	Idle     time.Duration // between two reads of the answer's body, or two writes of the request's
	Request  time.Duration // for the whole exchange
	Keep     time.Duration // an idle connection is kept
}

// Health says how endpoints are asked whether they work.
type Health struct {
	Path      string
	Every     time.Duration
	Timeout   time.Duration
	Unhealthy int // failures in a row until an endpoint is left out
	Healthy   int // successes in a row until it is back
}

// Acknowledge says how an upstream is asked whether it treats copies of writes
// as it must.
type Acknowledge struct {
	Path   string
	Secret string
}

// UpstreamTLS says how an https upstream is verified.
type UpstreamTLS struct {
	CA         string // file of roots; empty: the system's
	ServerName string // empty: the endpoint's host
	Cert, Key  string // client certificate
	Insecure   bool   // do not verify
}

// A Route is a match and where it goes. Exactly one of Upstream and Migration
// is set.
type Route struct {
	ID         string // stable across reloads: the id given, or made of the match
	Index      int    // position in Table.Routes
	Match      Match
	Upstream   string
	Migration  string
	Else       string    // upstream asked when a GET is answered 404
	Repeatable bool      // a side may be asked again
	Fallback   *Fallback // nil: the monolith never answers in place of the service
	Rewrite    *Rewrite
	Request    *HeaderEdit // edits of the request's header
	Response   *HeaderEdit // edits of the response's header
	Key        []migrations.KeySource
	Timeout    time.Duration // of the whole exchange; 0: the upstream's
	BodyBytes  int64         // 0: the table's limit
	At         Position      // where the file says it
}

// A Fallback says when the monolith answers in place of a service.
type Fallback struct {
	After    time.Duration // until the first byte; 0: as long as the upstream may take
	Statuses []int         // of the service, at which the monolith is asked
	Unsafe   bool          // a POST or PATCH with an Idempotency-Key may be sent to both
}

// A Match says which requests a route takes. Empty fields match everything.
type Match struct {
	Hosts   []string // lower case, without port; "*.example.com" covers all names below
	Path    string   // chi pattern
	Methods []string
	Headers []Pair
	Query   []Pair
	Cookies []Pair
}

// A Pair is one predicate: a name, and what its value must be.
type Pair struct {
	Name    string
	Value   string         // exact; ignored if Any or Pattern
	Any     bool           // present is enough
	Pattern *regexp.Regexp // must match the whole value
}

// A Rewrite changes the path that an upstream sees. At most one of Strip and
// Pattern is set; Add comes last.
type Rewrite struct {
	Strip   string
	Pattern *regexp.Regexp
	Replace string
	Add     string
}

// A HeaderEdit changes a header: Remove, then Set, then Add.
type HeaderEdit struct {
	Remove []string
	Set    []Field
	Add    []Field
}

// A Field is one header field.
type Field struct{ Name, Value string }

// A Position is a place in a config file, from 1. The zero value is nowhere.
type Position struct {
	File      string
	Line, Col int
}

// URL returns the endpoint as a URL without a path.
func (e Endpoint) URL() *url.URL { return &url.URL{Scheme: e.Scheme, Host: e.Host} }
