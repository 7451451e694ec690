package routes

import "strings"

// A StateConfig says where the event log is kept. A text is short for
// {url: ...}.
type StateConfig struct {
	// URL is the place: file: and a path relative to the working directory, for one gateway; or, for several, redis://host:6379/0, rediss://, unix:///socket, redis+sentinel://host,host/master or redis+cluster://host. ?installation=NAME separates gateways that share a Redis. Passwords do not belong here.
	URL string `yaml:"url" default:"file:ficus.events"`
	// PasswordEnv names the environment variable that has the password of Redis.
	PasswordEnv string `yaml:"password_env"`
	// PasswordFile is the file that has it, instead; it is read again for every connection.
	PasswordFile string `yaml:"password_file"`
	// SentinelUser is the user of the sentinels themselves, if they want one.
	SentinelUser string `yaml:"sentinel_user"`
	// SentinelPasswordEnv names the environment variable that has their password.
	SentinelPasswordEnv string `yaml:"sentinel_password_env"`
	// SentinelPasswordFile is the file that has it, instead.
	SentinelPasswordFile string `yaml:"sentinel_password_file"`
	// CA is a PEM file of the authorities that sign the certificate of Redis; left out, those of the system.
	CA string `yaml:"ca"`
	// Cert is a PEM file of the certificate that the gateway shows to Redis.
	Cert string `yaml:"cert"`
	// Key is the PEM file of its key.
	Key string `yaml:"key"`
	// Checkpoint is the file on this machine that keeps the last state of a log in Redis: the gateway serves by it when it starts and Redis is out of reach. Relative to the working directory; the token, the secret and the admin socket lie beside it.
	Checkpoint string `yaml:"checkpoint" default:"ficus.checkpoint"`
}

// at returns the state at another URL. What it takes to use a Redis says
// nothing about a file.
func (s StateConfig) at(url string) StateConfig {
	if strings.HasPrefix(url, "file:") {
		return StateConfig{URL: url}
	}
	s.URL = url
	return s
}
