package routes

import (
	"path/filepath"
	"slices"
	"strings"
)

// redisSchemes begin the URLs of logs in Redis.
var redisSchemes = []string{"redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"}

// state compiles where the event log is.
func (c *compiler) state(at spot) {
	f, s := c.main.State, &c.table.Server
	s.State = or(f.URL, "file:ficus.events")
	url := at.key("url")
	if path, ok := strings.CutPrefix(s.State, "file:"); ok {
		if path == "" {
			url.fail("write file: and a path, such as file:ficus.events", "%s has no path", url.quote(s.State))
		}
		for key, value := range map[string]string{
			"password_env": f.PasswordEnv, "password_file": f.PasswordFile, "sentinel_user": f.SentinelUser, "sentinel_password_env": f.SentinelPasswordEnv,
			"sentinel_password_file": f.SentinelPasswordFile, "ca": f.CA, "cert": f.Cert, "key": f.Key, "checkpoint": f.Checkpoint,
		} {
			if value != "" {
				at.key(key).fail("remove it, or write url: redis://host:6379/0", "is of a log in Redis, and this one is a file")
			}
		}
		return
	}
	scheme, rest, ok := strings.Cut(s.State, "://")
	authority, _, _ := strings.Cut(rest, "/")
	user, _, named := strings.Cut(authority, "@")
	switch {
	case !ok || !slices.Contains(redisSchemes, scheme):
		url.fail("write file: and a path, such as file:ficus.events, or redis://host:6379/0", "the state is kept in a file or in Redis, %s is neither", url.quote(s.State))
	case named && strings.Contains(user, ":"):
		url.fail("write state: {url: ..., password_env: REDIS_PASSWORD} or password_file", "a password does not belong into a URL, which ends up in logs")
	case f.PasswordEnv != "" && f.PasswordFile != "":
		at.key("password_file").fail("remove one of them", "the password is either in an environment variable or in a file")
	case f.SentinelPasswordEnv != "" && f.SentinelPasswordFile != "":
		at.key("sentinel_password_file").fail("remove one of them", "the password is either in an environment variable or in a file")
	case (f.CA != "" || f.Cert != "" || f.Key != "") && !strings.HasPrefix(scheme, "rediss"):
		url.fail("write rediss:// for TLS", "certificates are for TLS, and %s:// has none", scheme)
	case (f.Cert == "") != (f.Key == ""):
		at.follow("write both cert and key", "a certificate needs both cert and key")
	}
	s.Redis = &Redis{
		PasswordEnv: f.PasswordEnv, PasswordFile: at.src.path(f.PasswordFile),
		SentinelUser: f.SentinelUser, SentinelPasswordEnv: f.SentinelPasswordEnv, SentinelPasswordFile: at.src.path(f.SentinelPasswordFile),
		CA: at.src.path(f.CA), Cert: at.src.path(f.Cert), Key: at.src.path(f.Key),
		Checkpoint: or(f.Checkpoint, "ficus.checkpoint"),
	}
}

// A Redis is what it takes to use a log in Redis, beside its URL.
type Redis struct {
	PasswordEnv, PasswordFile                 string // where the password is; both empty: there is none
	SentinelUser                              string // of the sentinels
	SentinelPasswordEnv, SentinelPasswordFile string
	CA, Cert, Key                             string // PEM files; empty: those of the system, and none
	Checkpoint                                string // path of the file that keeps the last state on this machine
}

// Beside returns the directory of what lies beside the state: the token, the
// admin socket, the secret. It is on this machine, also if the log is not.
func (s Server) Beside() string {
	if s.Redis != nil {
		return filepath.Dir(s.Redis.Checkpoint)
	}
	return filepath.Dir(strings.TrimPrefix(s.State, "file:"))
}
