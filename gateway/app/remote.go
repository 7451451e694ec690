package app

import (
	"encoding/json"
	"os"
	"os/user"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
	"github.com/ficus-gateway/ficus/gateway/dashboard/client"
)

// client connects to the gateway. A token is needed only if the command
// changes something; reads go without where the gateway lets them.
func (r remote) client(c *call, actor string, changes bool) (*client.Client, error) {
	token, err := access.FindToken(r.TokenFile, os.Getenv("FICUS_TOKEN"), c.dir)
	if err != nil && (changes || r.TokenFile != "") {
		return nil, exitCode{exitUsage, err}
	}
	cl, err := client.New(r.Admin, token, actor)
	if err != nil {
		return nil, exitCode{exitUsage, err}
	}
	return cl, nil
}

// actor is who asks: the name that was given, or the user's.
func (ch change) actor() string {
	if ch.As != "" {
		return ch.As
	}
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "unknown"
}

// json writes v for programs.
func (c *call) json(v any) error {
	e := json.NewEncoder(c.stdout)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
