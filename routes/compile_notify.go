package routes

import (
	"net/url"
	"slices"
	"time"
)

// maxHooks bounds the hooks: each has a follower of the log.
const maxHooks = 16

// hooks compiles who is told of events.
func (c *compiler) hooks() {
	at := c.main.root().key("notify")
	if len(c.main.Notify) > maxHooks {
		at.index(maxHooks).fail("tell one that tells the others", "there may be %d at most", maxHooks)
	}
	names := map[string]bool{}
	for i, f := range c.main.Notify {
		h, ok := c.hook(at.index(i), f)
		if !ok {
			continue
		}
		if names[h.Name] {
			at.index(i).key("name").follow("give it a name of its own with name:", "another one is called %q too", h.Name)
		}
		names[h.Name] = true
		c.table.Hooks = append(c.table.Hooks, h)
	}
}

func (c *compiler) hook(at spot, f HookConfig) (*Hook, bool) {
	u, err := url.Parse(f.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" { // it may be a secret, and is not quoted
		at.key("url").follow("write the URL that takes a POST, such as https://alerts.example.com/ficus", "is not a URL")
		return nil, false
	}
	h := &Hook{
		Name: or(f.Name, u.Hostname()), URL: f.URL, Format: HookFormat(or(f.Format, string(HookJSON))), Secret: f.Secret, SecretFile: at.src.path(f.SecretFile),
		Events: f.Events, Migrations: f.Migrations,
		Timeout: valueOr(f.Timeout, Duration(10*time.Second)).std(), GiveUp: valueOr(f.GiveUp, Duration(time.Hour)).std(),
	}
	switch {
	case f.Secret != "" && f.SecretFile != "":
		at.key("secret_file").fail("write one of them", "secret is there as well")
	case f.Secret != "" && len(f.Secret) < 16:
		at.key("secret").fail("use at least 16 random bytes, such as the output of: openssl rand -hex 32", "is too short to sign with")
	}
	if !nameForm.MatchString(h.Name) {
		at.key("name").fail(nameHint, "%q cannot be the name of a hook", h.Name)
	}
	known := HookEvents()
	for i, name := range f.Events {
		if !slices.Contains(known, name) {
			at.key("events").index(i).fail(suggest(name, known, "see the kinds of event in ficus history"), "no event %s", at.key("events").index(i).quote(name))
		}
	}
	for i, id := range f.Migrations {
		if _, ok := c.migrations[id]; !ok {
			at.key("migrations").index(i).fail(suggest(id, sortedKeys(c.migrations), "declare it below migrations"), "no migration %s", at.key("migrations").index(i).quote(id))
		}
	}
	if h.Timeout <= 0 {
		at.key("timeout").fail("write a duration such as 10s", "must not be 0: one that never answers would never be left")
	}
	return h, true
}
