package routes

// A ListenConfig is one public address. A text is short for {address: ...}.
type ListenConfig struct {
	// Address is host:port, :port for all interfaces, unix:/path of a socket, or fd:NAME of a socket that the service manager brings along.
	Address string `yaml:"address"`
	// TLS are certificates; without one the listener speaks plain text.
	TLS OneOrMany[CertificateConfig] `yaml:"tls"`
	// H2C allows HTTP/2 without TLS, by prior knowledge.
	H2C bool `yaml:"h2c" default:"false"`
	// ProxyProtocol are the addresses or networks that must send a PROXY protocol header (version 1 or 2); nobody else may.
	ProxyProtocol OneOrMany[string] `yaml:"proxy_protocol"`
}

// A CertificateConfig names the PEM files of a certificate, relative to the
// config file. They are read again when they change.
type CertificateConfig struct {
	// Cert is the file of the certificate chain.
	Cert string `yaml:"cert"`
	// Key is the file of the private key.
	Key string `yaml:"key"`
}

// An AdminConfig is the operators' listener. A text is short for {address: ...}.
type AdminConfig struct {
	// Address is host:port; none turns it off.
	Address string `yaml:"address" default:"127.0.0.1:9900"`
	// Socket is the path of a unix socket; none turns it off. Left out, it is ficus.sock beside the state.
	Socket string `yaml:"socket"`
	// Hosts are the host names that requests may ask for, besides loopback addresses. Needed when the address is not on the loopback.
	Hosts OneOrMany[string] `yaml:"hosts"`
	// TokenFile is the path of the token that changes need. Left out, it is ficus.token beside the state.
	TokenFile string `yaml:"token_file"`
	// TLS are certificates of the address; without one it speaks plain text.
	TLS OneOrMany[CertificateConfig] `yaml:"tls"`
	// URL is scheme and host by which people reach the admin listener in a browser, if it is another than the address, as behind a proxy. With it, reads need a token or a session on the loopback too.
	URL string `yaml:"url"`
	// Session says how long a browser stays signed in.
	Session SessionConfig `yaml:"session"`
	// OIDC lets people sign in with an identity provider; without it, by token only.
	OIDC OIDCConfig `yaml:"oidc"`
}

// A LimitsConfig bounds what a client may send. The defaults are not tighter
// than those of nginx.
type LimitsConfig struct {
	// HeaderBytes bounds the header of a request; a change takes effect at the next start.
	HeaderBytes *Bytes `yaml:"header_bytes" default:"128KiB"`
	// BodyBytes bounds the body of a request; 0 is no limit.
	BodyBytes *Bytes `yaml:"body_bytes" default:"0"`
	// HeaderTime bounds the time for a header to arrive; a change takes effect at the next start.
	HeaderTime *Duration `yaml:"header_time" default:"60s"`
	// IdleTime is how long a connection without a request is kept; a change takes effect at the next start.
	IdleTime *Duration `yaml:"idle_time" default:"90s"`
	// BodySilence bounds the wait between two pieces of a body, not the time of the whole; 0 is no limit.
	BodySilence *Duration `yaml:"body_silence" default:"60s"`
}

// A ShutdownConfig says how the process ends.
type ShutdownConfig struct {
	// Delay lies between readiness going off and the listeners closing, for load balancers to notice.
	Delay *Duration `yaml:"delay" default:"0s"`
	// Timeout is what requests and upgraded connections have to finish.
	Timeout *Duration `yaml:"timeout" default:"25s"`
}

// A TelemetryConfig says where traces go. A text is short for {otlp: ...}.
type TelemetryConfig struct {
	// OTLP is the URL of an OTLP/HTTP collector; left out, nothing is exported.
	OTLP string `yaml:"otlp"`
	// Sample is the share of traces kept where the caller has not decided.
	Sample *Percent `yaml:"sample" default:"10%"`
	// Service is the service.name of the gateway.
	Service string `yaml:"service" default:"ficus"`
	// Headers are sent to the collector with every export.
	Headers map[string]string `yaml:"headers"`
}

// A LogConfig says what is logged.
type LogConfig struct {
	// Access writes one line per request.
	Access *bool `yaml:"access" default:"true"`
	// Level is the least severe level that is logged.
	Level string `yaml:"level" default:"info" enum:"debug,info,warn,error"`
}
