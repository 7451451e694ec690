package routes

// A Config is the main file as it is written. Keys that begin with x- are
// ignored, so that there is a place for YAML anchors.
type Config struct {
	// Listen lists the public addresses: host:port, or unix:/path of a socket.
	Listen OneOrMany[ListenConfig] `yaml:"listen" default:":8080"`
	// Admin is the operators' listener, never a public one; none turns it off.
	Admin AdminConfig `yaml:"admin" default:"127.0.0.1:9900"`
	// State says where the event log is kept: in a file, or, for several gateways, in Redis; a text is short for {url: ...}.
	State StateConfig `yaml:"state" default:"file:ficus.events"`
	// Flags says who evaluates the flags of migrations; a text is short for {source: ...}.
	Flags FlagsConfig `yaml:"flags" default:"builtin"`
	// OFREP is a listener at which applications ask for the side of a key.
	OFREP OFREPConfig `yaml:"ofrep"`
	// Changes says where migrations are changed: api, by operators; or git, by edits of this file: operators can hold and roll back, and everything else is refused.
	Changes string `yaml:"changes" default:"api" enum:"api,git"`
	// Secret is the key material of signed cookies, at least 16 bytes, such as ${FICUS_SECRET}. Left out, one is made and kept in a file beside the state.
	Secret string `yaml:"secret"`
	// TrustedProxies are the addresses or networks whose forwarding headers, identity headers and cohort headers count.
	TrustedProxies OneOrMany[string] `yaml:"trusted_proxies"`
	// Limits bound what a client may send.
	Limits LimitsConfig `yaml:"limits"`
	// Shutdown says how the process ends.
	Shutdown ShutdownConfig `yaml:"shutdown"`
	// Telemetry says where traces go; a text is short for {otlp: URL}.
	Telemetry TelemetryConfig `yaml:"telemetry"`
	// Log says what is logged.
	Log LogConfig `yaml:"log"`
	// Include names more files, relative to this one: their routes, migrations and upstreams are added to these.
	Include OneOrMany[IncludeConfig] `yaml:"include"`
	// Upstreams are the monolith and the services, by name; a text is short for {url: ...}.
	Upstreams map[string]UpstreamConfig `yaml:"upstreams"`
	// Migrations move routes together from one upstream to another, by id. Ids are permanent.
	Migrations map[string]MigrationConfig `yaml:"migrations"`
	// Ramps says when and how many of them may move by themselves.
	Ramps RampsConfig `yaml:"ramps"`
	// Notify lists who is told what happens to migrations, by webhook.
	Notify OneOrMany[HookConfig] `yaml:"notify"`
	// Routes say where requests go. The most specific match wins, whatever the order; one must be {path: /*, ...}.
	Routes []RouteConfig `yaml:"routes"`
}

// An IncludedConfig is a file that include names.
type IncludedConfig struct {
	// Upstreams as in the main file.
	Upstreams map[string]UpstreamConfig `yaml:"upstreams"`
	// Migrations as in the main file.
	Migrations map[string]MigrationConfig `yaml:"migrations"`
	// Routes as in the main file.
	Routes []RouteConfig `yaml:"routes"`
}

// An IncludeConfig names files, and what they may contain. A text is short
// for {files: ...}.
type IncludeConfig struct {
	// Files is a file or a pattern such as routes.d/*.yaml. Files whose name begins with a dot are left out.
	Files string `yaml:"files"`
	// Paths confines the routes of these files: every path must lie below one of these.
	Paths OneOrMany[string] `yaml:"paths"`
	// Owner confines these files to migrations of this owner; migrations declared in them get it.
	Owner string `yaml:"owner"`
}
