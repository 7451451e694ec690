package routes

// A MetricConfig is a metric of the application that the guard watches: how
// much of it went bad, on either side. It is asked of Prometheus, or told by
// the application itself.
type MetricConfig struct {
	// Name is unique in the migration, in lower case letters, digits and underscores: lost_orders.
	Name string `yaml:"name"`
	// Prometheus says where it is asked for.
	Prometheus *PrometheusConfig `yaml:"prometheus"`
	// Reported says that the application tells it: of keys, each person counted once, by POST /api/outcomes or by the response field Ficus-Outcome; or of sides, as numbers by side, by POST /api/outcomes.
	Reported string `yaml:"reported" enum:"keys,sides"`
	// Every is the interval of what is counted by side; a deploy should fit into one.
	Every *Duration `yaml:"every" default:"15s"`
	// WorseBy is how much more than on the monolith is still fine; left out, 50% of what is counted by side, where the same people come again and again, and 0% of what is counted by key.
	WorseBy *Percent `yaml:"worse_by"`
}

// A PrometheusConfig says how a Prometheus is asked for a metric. The queries
// give counters as they are, such as orders_failed_total, one series for each
// instance: neither a rate nor a sum, which falls when an instance begins again.
type PrometheusConfig struct {
	// URL is where it answers, without /api/v1/query: http://127.0.0.1:9090.
	URL string `yaml:"url"`
	// Token is sent along as a bearer token, such as ${PROMETHEUS_TOKEN}.
	Token string `yaml:"token"`
	// Bad counts what went bad.
	Bad QueryConfig `yaml:"bad"`
	// Total counts all, the bad included.
	Total QueryConfig `yaml:"total"`
	// Label tells the sides apart where one query gives both: its values are legacy and modern, as Ficus-Side and the baggage have them.
	Label string `yaml:"label" default:"ficus_side"`
}

// A QueryConfig is a query for each side, or one that gives both, by label. A
// text is short for {both: ...}.
type QueryConfig struct {
	// Both gives the series of both sides, which the label tells apart: orders_total.
	Both string `yaml:"both"`
	// Legacy gives the monolith's: orders_total{ficus_side="legacy"}.
	Legacy string `yaml:"legacy"`
	// Modern gives the service's.
	Modern string `yaml:"modern"`
}
