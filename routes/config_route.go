package routes

// A RouteConfig is a match and where it goes: to an upstream or a migration.
type RouteConfig struct {
	// ID names the route in logs and metrics; left out, it is made of the match.
	ID string `yaml:"id"`
	// Path is what the path must be: exact, with {name} or {name:regex} for a part, or with * at the end for all below.
	Path string `yaml:"path"`
	// Hosts are the host names, without port; *.example.com covers all names below.
	Hosts OneOrMany[string] `yaml:"hosts"`
	// Methods are the methods; left out, all.
	Methods OneOrMany[string] `yaml:"methods"`
	// Headers must all be there; a text is the value each must have.
	Headers map[string]PredicateConfig `yaml:"headers"`
	// Query parameters must all be there; a text is the value each must have.
	Query map[string]PredicateConfig `yaml:"query"`
	// Cookies must all be there; a text is the value each must have.
	Cookies map[string]PredicateConfig `yaml:"cookies"`

	// Upstream is where the route goes. Either this or migration is given.
	Upstream string `yaml:"upstream"`
	// Migration is what decides where the route goes.
	Migration string `yaml:"migration"`
	// Else is the upstream that is asked when a GET is answered 404. Only beside upstream.
	Else string `yaml:"else"`
	// Repeatable allows asking a side again: a GET here neither writes nor locks a session.
	Repeatable bool `yaml:"repeatable" default:"false"`
	// Key replaces the migration's key list, such as [url] where a shared cache stores the answers.
	Key OneOrMany[string] `yaml:"key"`

	// Fallback has the monolith answer what a service fails to answer. Only beside migration.
	Fallback FallbackConfig `yaml:"fallback"`

	// Rewrite changes the path that the upstream sees.
	Rewrite *RewriteConfig `yaml:"rewrite"`
	// Request edits the header of the request.
	Request *HeaderEditConfig `yaml:"request"`
	// Response edits the header of the response.
	Response *HeaderEditConfig `yaml:"response"`
	// Timeout bounds the whole exchange; left out, the upstream's timeout.request.
	Timeout Duration `yaml:"timeout"`
	// BodyBytes bounds the body of a request; left out, limits.body_bytes.
	BodyBytes Bytes `yaml:"body_bytes"`
}

// A FallbackConfig says when the monolith answers in place of a service: when
// no connection is made, when it breaks before the first byte, at the statuses
// named, and when the first byte takes too long. Only requests that may be sent
// twice fall back (GET, HEAD, OPTIONS, PUT, DELETE), others when nothing was
// sent. Where the data has moved, nothing does.
type FallbackConfig struct {
	// Off turns it off.
	Off bool `yaml:"off" default:"false"`
	// After is how long the first byte may take from the end of the request, where it may fall back; 0 is no limit but the upstream's own.
	After *Duration `yaml:"after" default:"10s"`
	// Statuses of the service at which the monolith is asked, from 500 to 599.
	Statuses []int `yaml:"statuses" default:"[500, 502, 503, 504]"`
	// Unsafe consents that a POST or PATCH with an Idempotency-Key is sent to the monolith after the service may have taken it.
	Unsafe bool `yaml:"unsafe" default:"false"`
}

// A PredicateConfig says what a header, query parameter or cookie must be. A
// text is short for {is: ...}.
type PredicateConfig struct {
	// Is is the exact value.
	Is *string `yaml:"is"`
	// Matches is a regular expression (RE2) for the whole value.
	Matches string `yaml:"matches"`
	// Present asks only that it is there.
	Present bool `yaml:"present"`
}

// A RewriteConfig changes the path that the upstream sees: strip_prefix or
// regex first, then add_prefix.
type RewriteConfig struct {
	// StripPrefix is taken off the front.
	StripPrefix string `yaml:"strip_prefix"`
	// Regex is a regular expression (RE2); all its matches in the path are replaced.
	Regex string `yaml:"regex"`
	// Replace is what they are replaced with; $1 is the first group.
	Replace string `yaml:"replace"`
	// AddPrefix is put in front.
	AddPrefix string `yaml:"add_prefix"`
}

// A HeaderEditConfig changes a header: remove, then set, then add.
type HeaderEditConfig struct {
	// Remove lists names.
	Remove OneOrMany[string] `yaml:"remove"`
	// Set replaces values.
	Set map[string]string `yaml:"set"`
	// Add adds values to those that are there.
	Add map[string]OneOrMany[string] `yaml:"add"`
}
