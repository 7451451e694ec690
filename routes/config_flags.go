package routes

// A FlagsConfig says who evaluates the flags of migrations. A text is short
// for {source: ...}.
type FlagsConfig struct {
	// Source is builtin; or file: and a path relative to the config file, or an http or https URL, of definitions in flagd's format; or ofrep+ and the URL of a flag service that speaks OFREP.
	Source string `yaml:"source" default:"builtin"`
	// Token is sent to a URL as Authorization: Bearer, such as ${FLAGS_TOKEN}.
	Token string `yaml:"token"`
	// Headers are sent to a URL with every request.
	Headers map[string]string `yaml:"headers"`
	// Interval is the time between two looks at the definitions behind a URL; of a flag service it is how long an answer counts before it is asked for again, 5s if left out.
	Interval *Duration `yaml:"interval" default:"30s"`
	// Timeout bounds how long a request waits for a flag service that has not answered for its key before; after that the last known answer counts, or the monolith.
	Timeout *Duration `yaml:"timeout" default:"50ms"`
	// Attributes are what rules may ask of a request beside targetingKey: a name, and header:NAME, cookie:NAME, query:NAME, jwt:CLAIM or ip. All but ip count from trusted proxies only.
	Attributes map[string]string `yaml:"attributes"`
}

// An OFREPConfig is a listener of its own at which applications ask for the
// side of a key, by the OpenFeature Remote Evaluation Protocol. The admin
// listener answers them too. A text is short for {listen: ...}.
type OFREPConfig struct {
	// Listen is host:port, or unix:/path of a socket; left out, there is no listener of its own.
	Listen string `yaml:"listen"`
	// Token is what applications send as Authorization: Bearer or as X-API-Key, at least 16 bytes, such as ${FICUS_OFREP_TOKEN}. It opens nothing else.
	Token string `yaml:"token"`
	// Open lets everybody who reaches the listener ask, without a token, as pages in browsers must.
	Open bool `yaml:"open" default:"false"`
	// Origins are the origins whose pages may ask from a browser, such as https://shop.example.com.
	Origins OneOrMany[string] `yaml:"origins"`
}
