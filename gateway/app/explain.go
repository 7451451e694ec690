package app

import (
	"errors"
	"net/http"
	"strings"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
)

type explainCommand struct {
	remote
	Method string   `arg:"" help:"Method, or the URL of a GET."`
	URL    string   `arg:"" optional:"" help:"Path with its query, or a whole URL."`
	Header []string `short:"H" sep:"none" help:"Header field of the request; may be repeated." placeholder:"NAME: VALUE"`
}

// Run says where a request would go.
func (e explainCommand) Run(c *call) error {
	r := dashboard.ExplainRequest{Method: e.Method, URL: e.URL, Header: http.Header{}}
	if e.URL == "" {
		r.Method, r.URL = http.MethodGet, e.Method
	}
	for _, line := range e.Header {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return exitCode{exitUsage, errors.New(`-H takes a field as in -H "X-User-Id: 42"`)}
		}
		r.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	cl, err := e.client(c, "", false)
	if err != nil {
		return err
	}
	defer cl.Close()
	x, err := cl.Explain(c.ctx, r)
	if err != nil {
		return err
	}
	if e.JSON {
		return c.json(x)
	}
	for _, why := range x.Why {
		c.printf("%s", why)
	}
	for i, n := range x.Nearly {
		if i == 0 {
			c.printf("\nroutes that nearly took it:")
		}
		c.printf("  %s: %s", n.Route, n.Why)
	}
	return nil
}
