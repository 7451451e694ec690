package routes

// A MigrationConfig moves routes from one upstream to another.
type MigrationConfig struct {
	// From is the upstream that is moved away from.
	From string `yaml:"from"`
	// To is the upstream that is moved to.
	To string `yaml:"to"`
	// Key lists where the targeting key is looked for; the first that is present counts. One of header:NAME, cookie:NAME, query:NAME, jwt:CLAIM, ip, url, request, anonymous. Without a key a request stays on the monolith.
	Key OneOrMany[string] `yaml:"key"`
	// Flag is the OpenFeature flag key; left out, the id.
	Flag string `yaml:"flag"`
	// Data declares what a way back would cost: shared (both sides see one database), {synced: {lag: URL, max_lag: 5s}} or moved (a point of no return). Left out, unsafe requests stay on the monolith until complete.
	Data DataConfig `yaml:"data"`
	// Writes says where unsafe requests go before complete: monolith, or follow for the side that the stage gives, which needs data declared.
	Writes string `yaml:"writes" default:"monolith" enum:"monolith,follow,rehearse,dual"`
	// Owner is the team that may move it; anyone may roll it back.
	Owner string `yaml:"owner"`
	// Journeys keeps people who are in the middle of something on the side where they began it, whatever steps the ramp takes.
	Journeys bool `yaml:"journeys" default:"false"`
	// Auto begins the ramp without a resume.
	Auto bool `yaml:"auto" default:"false"`
	// Resume lets a ramp that is held or was rolled back go on, or begins it, when this text is new: it is the reason that the history has. With changes: git only.
	Resume string `yaml:"resume"`
	// Retired lets a migration with a state leave the config.
	Retired bool `yaml:"retired" default:"false"`
	// RenamedFrom is the id it had; its state moves along.
	RenamedFrom string `yaml:"renamed_from"`
	// Cohorts place requests at a stage by a rule, whatever their bucket; the first that holds counts.
	Cohorts []CohortConfig `yaml:"cohorts"`
	// Compare says how much is compared, and with which rules.
	Compare CompareConfig `yaml:"compare"`
	// Ramp lists the steps, least advanced first.
	Ramp []StepConfig `yaml:"ramp"`
	// Guard says what may hold or reverse the ramp.
	Guard GuardConfig `yaml:"guard"`
	// Rollback says how an automatic rollback goes about, and what comes after.
	Rollback RollbackConfig `yaml:"rollback"`
	// Cells are parts of the requests, such as regions, that move one after the other, each with a ramp and a guard of its own; the first that takes a request counts, and what none takes moves last.
	Cells []CellConfig `yaml:"cells"`
}

// A DataConfig declares what a way back would cost. A text is short for {kind: ...}.
type DataConfig struct {
	// Kind is shared or moved.
	Kind string `yaml:"kind" enum:"shared,synced,moved"`
	// Synced declares data that is replicated with a lag that can be measured.
	Synced *SyncedConfig `yaml:"synced"`
}

// A SyncedConfig says how the lag of a replication is measured.
type SyncedConfig struct {
	// Lag is a URL that answers a GET with the lag in seconds, as plain text.
	Lag string `yaml:"lag"`
	// MaxLag is the lag that can be borne.
	MaxLag *Duration `yaml:"max_lag"`
}

// A CohortConfig places the requests that a rule names at a stage.
type CohortConfig struct {
	// Name is unique in the migration.
	Name string `yaml:"name"`
	// When lists conditions; all must hold.
	When OneOrMany[ConditionConfig] `yaml:"when"`
	// Stage is what these requests get.
	Stage string `yaml:"stage" enum:"off,dualwrite,shadow,live,rampdown,complete"`
}

// A ConditionConfig looks at one fact of a request. Without is and in,
// presence is enough.
type ConditionConfig struct {
	// Header is the name of a request header.
	Header string `yaml:"header"`
	// Cookie is the name of a cookie.
	Cookie string `yaml:"cookie"`
	// Query is the name of a query parameter.
	Query string `yaml:"query"`
	// Is is the value it must have.
	Is *string `yaml:"is"`
	// In lists the values of which it must have one.
	In []string `yaml:"in"`
}

// A CompareConfig says how much of the traffic is compared.
type CompareConfig struct {
	// Sample is the share of the requests that is compared.
	Sample *Percent `yaml:"sample" default:"100%"`
	// Timeout bounds the wait for the other side's whole answer.
	Timeout *Duration `yaml:"timeout" default:"10s"`
	// Skew is by how much the clocks of the two sides may differ.
	Skew *Duration `yaml:"skew" default:"60s"`
	// Ignore lists what may differ: a path in a body, such as $.generatedAt or $.items[*].etag, header.NAME or cookie.NAME.
	Ignore OneOrMany[string] `yaml:"ignore"`
	// Unordered lists arrays in a body whose order does not matter.
	Unordered OneOrMany[string] `yaml:"unordered"`
	// Keep lists paths whose values may be stored in the examples of a finding; all others are masked.
	Keep OneOrMany[string] `yaml:"keep"`
	// Rules lists rules of all kinds, with who answers for them and when they end.
	Rules []RuleConfig `yaml:"rules"`
}

// A RuleConfig accepts differences at a path.
type RuleConfig struct {
	// Do is what the rule does: ignore, unordered, tolerance (numbers may be so far apart), round (numbers are rounded to so many decimals), equals (an expression over a and b decides), keep.
	Do string `yaml:"do" enum:"ignore,unordered,tolerance,round,equals,keep"`
	// Path is where: $.total, $.items[*].price, header.NAME, cookie.NAME or status.
	Path string `yaml:"path"`
	// With is what tolerance ("0.01", "1%"), round ("2") and equals ("lower(a) == lower(b)") need.
	With string `yaml:"with"`
	// Owner answers for it.
	Owner string `yaml:"owner"`
	// Until is the day on which it ends, as in "2026-12-31".
	Until string `yaml:"until"`
}

// A StepConfig is one step of a ramp, and what must have happened before the
// next one begins.
type StepConfig struct {
	// Stage is what the share gets.
	Stage string `yaml:"stage" enum:"off,dualwrite,shadow,live,rampdown,complete"`
	// Share is the part of the targeting keys; live goes to 95 % at most, so that a control remains.
	Share *Share `yaml:"share" default:"100%"`
	// Hold is the least time at this step.
	Hold Duration `yaml:"hold" default:"0s"`
	// Requests is the least number of clean requests on the service; at least 59 are waited for, which rule out that 5 % are bad.
	Requests int `yaml:"requests" default:"0"`
	// Observations is the least number of comparisons; in shadow at least 59 are waited for.
	Observations int `yaml:"observations" default:"0"`
	// Approve has a person approve this step before it begins.
	Approve bool `yaml:"approve" default:"false"`
}

// A GuardConfig says what may hold or reverse a ramp.
type GuardConfig struct {
	// FalseAlarm is the chance of ever rolling back a service that is as good as the monolith.
	FalseAlarm *Percent `yaml:"false_alarm" default:"0.1%"`
	// Outcomes says whether redirects, 401 and 403, 404 and 410, other 4xx and gRPC errors are tested: a rise of one of them on the service against the monolith speaks against the service.
	Outcomes string `yaml:"outcomes" default:"on" enum:"on,off"`
	// Latency says how much slower the service may be, to the first and to the last byte of an answer; left out, {quantile: p99, worse_by: 100%}. What the monolith's latency is, is learned in the test where it was not known before. Off turns it off.
	Latency *LatencyConfig `yaml:"latency"`
	// Mismatches says how many comparisons may differ. Left out, no step goes forward unless fewer than 1 % do, and nothing is rolled back for them. Off turns that off.
	Mismatches *MismatchesConfig `yaml:"mismatches"`
	// Findings is the severity from which an open finding of the comparison holds the ramp, until it is fixed, accepted, acknowledged or muted.
	Findings string `yaml:"findings" default:"critical" enum:"critical,high,none"`
	// Blip is how long failures like those of a restart, which fallback healed, are kept aside and only hold the ramp; three times an hour at most. 0s counts them at once.
	Blip *Duration `yaml:"blip" default:"10s"`
	// Networks says whether what the clients of one network do is bounded: it neither causes nor prevents a rollback, a hold or a step. That begins when ten users have come within a day from outside the network that has most. Write off where nearly all users come from one network, such as an office.
	Networks string `yaml:"networks" default:"on" enum:"on,off"`
	// Errors says how many more users with an error than on the monolith are still fine.
	Errors RateConfig `yaml:"errors"`
	// Timeouts says how many more users with a time-out than on the monolith are still fine.
	Timeouts RateConfig `yaml:"timeouts"`
	// Objective is the share of the route's requests that is to succeed over 30 days; while either side uses up the error budget too fast, the ramp holds.
	Objective *Percent `yaml:"objective" default:"99.95%"`
	// Saturation is the share of the service's capacity in use from which the ramp waits; 0% turns it off.
	Saturation *Percent `yaml:"saturation" default:"90%"`
	// Harm is the number of user requests failed by the service in one step that rolls it back, whatever the evidence. Left out or 0, users are tested by their first answer at each endpoint instead, within false_alarm. Off turns both off.
	Harm Harm `yaml:"harm" default:"0"`
	// Metrics lists what the application counts that is to get no worse, such as lost orders.
	Metrics []MetricConfig `yaml:"metrics"`
}

// A RateConfig says how much worse a rate may be.
type RateConfig struct {
	// WorseBy is how much more than on the monolith is still fine.
	WorseBy *Percent `yaml:"worse_by" default:"0%"`
}

// A RollbackConfig says how an automatic rollback goes about.
type RollbackConfig struct {
	// To is where it leaves those who were on the service: off, or shadow to go on comparing.
	To string `yaml:"to" default:"off" enum:"off,shadow"`
	// Return spreads the way back over a time, in parts, so that the monolith's caches can fill. In an outage it goes at once.
	Return *Duration `yaml:"return" default:"0s"`
	// Retry is the cool-down after which the ramp begins again by itself; 0 is never.
	Retry *Duration `yaml:"retry" default:"0s"`
	// Retries is how often it does.
	Retries *int `yaml:"retries" default:"1"`
	// Upgraded says what becomes of WebSockets and other upgraded connections to the service: keep them, or close them over half a minute so that their clients come back to the monolith.
	Upgraded string `yaml:"upgraded" default:"keep" enum:"keep,close"`
}

// A CellConfig is a part of the requests.
type CellConfig struct {
	// Name is unique in the migration.
	Name string `yaml:"name"`
	// When lists conditions; all must hold.
	When OneOrMany[ConditionConfig] `yaml:"when"`
}

// A LatencyConfig says how much slower the service may be. The monolith's p50,
// p90 and p99 are all looked at, to the first and to the last byte. A text is
// short for {worse_by: ...}; off watches none.
type LatencyConfig struct {
	// Quantile of the monolith's latency that worse_by is about; at the others twice as slow is fine, or worse_by if that is more.
	Quantile string `yaml:"quantile" default:"p99" enum:"p50,p90,p99"`
	// WorseBy is how much slower is still fine; less than 2 ms always is.
	WorseBy *Percent `yaml:"worse_by" default:"20%"`
	// Off watches no latency.
	Off bool `yaml:"off" default:"false"`
}

// A MismatchesConfig says how many comparisons may differ. A text is short for
// {at_most: ...}; off watches none.
type MismatchesConfig struct {
	// AtMost is the greatest share of mismatches: above it the service is rolled back, and a step goes forward only if it is shown with 95 % confidence to be below.
	AtMost *Percent `yaml:"at_most"`
	// Off watches no mismatches, and lets steps go forward whatever they are.
	Off bool `yaml:"off" default:"false"`
}
