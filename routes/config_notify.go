package routes

// A HookConfig is an address that is told what happens to migrations. A text is
// short for {url: ...}.
type HookConfig struct {
	// URL gets a POST for each event. One that is itself a secret, such as Slack's, belongs into a variable: ${SLACK_URL}.
	URL string `yaml:"url"`
	// Name is what logs and metrics call it, and by what is kept how far it has been told; left out, the host of the URL.
	Name string `yaml:"name"`
	// Format is what is sent: json says everything; slack is {"text": ...}, which Mattermost and others take as well.
	Format string `yaml:"format" default:"json" enum:"json,slack"`
	// Secret signs what is sent, at least 16 bytes, such as ${HOOK_SECRET}; left out, nothing is signed.
	Secret string `yaml:"secret"`
	// SecretFile holds the secret instead; it is read again for every message.
	SecretFile string `yaml:"secret_file"`
	// Events are the kinds of event that it is told of, as ficus history names them, and tripped, untripped, behind and current; left out, all.
	Events OneOrMany[string] `yaml:"events"`
	// Migrations are the ids of those that it is told of; left out, all.
	Migrations OneOrMany[string] `yaml:"migrations"`
	// Timeout bounds one attempt.
	Timeout *Duration `yaml:"timeout" default:"10s"`
	// GiveUp is how long is tried before a message is given up, and the next one is sent.
	GiveUp *Duration `yaml:"give_up" default:"1h"`
}
