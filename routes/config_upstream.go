package routes

// An UpstreamConfig is a named group of endpoints. A text or a list is short
// for {url: ...}.
type UpstreamConfig struct {
	// URL lists the endpoints: http://host:port, https://host or unix:/path of a socket.
	URL OneOrMany[EndpointConfig] `yaml:"url"`
	// Protocol is how it is spoken to; http2 is h2c by prior knowledge on http, and negotiated on https.
	Protocol string `yaml:"protocol" default:"http1" enum:"http1,http2"`
	// Host is the Host it sees: preserve for the client's, upstream for the endpoint's own, or a fixed name.
	Host string `yaml:"host" default:"preserve"`
	// Timeout bounds the waits for it.
	Timeout TimeoutConfig `yaml:"timeout"`
	// Health has its endpoints probed; a text is short for {path: ...}. Left out, an endpoint is taken for healthy until it fails.
	Health *HealthConfig `yaml:"health"`
	// Acknowledge says how it is asked whether it treats copies of writes as it must; without it none is sent to it.
	Acknowledge *AcknowledgeConfig `yaml:"acknowledge"`
	// TLS says how https endpoints are verified.
	TLS UpstreamTLSConfig `yaml:"tls"`
	// MaxIdle is the number of idle connections kept per endpoint.
	MaxIdle *int `yaml:"max_idle" default:"256"`
	// MaxConns bounds the connections per endpoint; 0 is no limit.
	MaxConns *int `yaml:"max_conns" default:"0"`
}

// An EndpointConfig is one address of an upstream. A text is short for {url: ...}.
type EndpointConfig struct {
	// URL is http://host:port, https://host or unix:/path of a socket, without a path of its own.
	URL string `yaml:"url"`
	// Weight is its share of the requests, relative to the others.
	Weight *int `yaml:"weight" default:"1"`
}

// A TimeoutConfig bounds the waits for an upstream. All but request measure
// silence, not duration: a large upload and a slow download pass as long as
// bytes move. 0 is no limit.
//
// The defaults stand in for a monolith that nobody has measured, so none is
// tighter than nginx's, and a report that says nothing for ten minutes passes,
// which it would not through nginx; still, no request hangs for ever on an
// upstream that has gone silent. Set them to what a service promises.
type TimeoutConfig struct {
	// Connect bounds connecting, TLS included.
	Connect *Duration `yaml:"connect" default:"60s"`
	// Response bounds the silence between the request sent and the first byte of the answer.
	Response *Duration `yaml:"response" default:"15m"`
	// Idle bounds the silence between two pieces of an answer's body, or of a request's.
	Idle *Duration `yaml:"idle" default:"5m"`
	// Request bounds the whole exchange.
	Request *Duration `yaml:"request" default:"0s"`
	// Keep is how long an idle connection is kept. The default is below the five seconds after which Node.js and Apache close theirs, so that no request is sent into a connection that is being closed.
	Keep *Duration `yaml:"keep" default:"4s"`
}

// An AcknowledgeConfig says how an upstream is asked whether it rehearses: over
// the very connection that a write will take, Path is asked with a Ficus-Nonce
// and a Ficus-Mode, rehearse or dual, and answers with Ficus-Acknowledge, the
// HMAC-SHA-256 in hex of "ficus-acknowledge", the mode and the nonce, each
// followed by a line feed.
type AcknowledgeConfig struct {
	// Path is asked with GET.
	Path string `yaml:"path"`
	// Secret is shared with the application, at least 16 bytes, such as ${REHEARSAL_SECRET}.
	Secret string `yaml:"secret"`
}

// A HealthConfig says how endpoints are asked whether they work. A text is
// short for {path: ...}.
type HealthConfig struct {
	// Path is asked with GET; any answer from 200 to 399 is healthy.
	Path string `yaml:"path"`
	// Every is the time between two probes of an endpoint.
	Every *Duration `yaml:"every" default:"5s"`
	// Timeout bounds one probe.
	Timeout *Duration `yaml:"timeout" default:"2s"`
	// Unhealthy is the number of failures in a row after which an endpoint is left out.
	Unhealthy *int `yaml:"unhealthy" default:"3"`
	// Healthy is the number of successes in a row after which it is back.
	Healthy *int `yaml:"healthy" default:"2"`
}

// An UpstreamTLSConfig says how https endpoints are verified. Files are
// relative to the config file.
type UpstreamTLSConfig struct {
	// CA is a file of roots; left out, the system's are used.
	CA string `yaml:"ca"`
	// ServerName is verified instead of the endpoint's host.
	ServerName string `yaml:"server_name"`
	// Cert is the file of a client certificate.
	Cert string `yaml:"cert"`
	// Key is the file of its private key.
	Key string `yaml:"key"`
	// Insecure turns verification off.
	Insecure bool `yaml:"insecure" default:"false"`
}
