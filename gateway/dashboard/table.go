package dashboard

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/ficus-gateway/ficus/routes"
)

// Table is the config in force, as compiled. Values that may be secrets, those
// of header edits and of credentials in a match, are left out.
type Table struct {
	File     string          `json:"file,omitempty"` // absent: no file
	Files    []string        `json:"files"`
	Hash     string          `json:"hash,omitempty"`
	Routes   []Route         `json:"routes"` // in the order in which they are tried
	Warnings []ConfigProblem `json:"warnings,omitempty"`
}

// A Route is a match and where it goes.
type Route struct {
	ID         string   `json:"id"`
	Match      Match    `json:"match"`
	Upstream   string   `json:"upstream,omitempty"`
	Migration  string   `json:"migration,omitempty"`
	Else       string   `json:"else,omitempty"`
	Repeatable bool     `json:"repeatable,omitempty"`
	Rewrite    string   `json:"rewrite,omitempty"`  // "strip /old, add /new"
	Request    []string `json:"request,omitempty"`  // edits of the request's header: "set X-Tenant"
	Response   []string `json:"response,omitempty"` // edits of the response's header
	Key        []string `json:"key,omitempty"`
	Timeout    string   `json:"timeout,omitempty"` // "5s"
	BodyBytes  int64    `json:"body_bytes,omitempty"`
	At         string   `json:"at,omitempty"` // "ficus.yaml:42"
}

// A Match says which requests a route takes. What is absent matches everything.
type Match struct {
	Hosts   []string `json:"hosts,omitempty"`
	Path    string   `json:"path"`
	Methods []string `json:"methods,omitempty"`
	Headers []string `json:"headers,omitempty"` // "X-Beta=1", "X-Beta~^[0-9]+$", "X-Beta"
	Query   []string `json:"query,omitempty"`
	Cookies []string `json:"cookies,omitempty"`
}

func (a *api) getRoutes(w http.ResponseWriter, r *http.Request) {
	t := a.Table()
	out := Table{File: t.File, Files: append([]string{}, t.Files...), Hash: t.Hash, Routes: []Route{}, Warnings: configProblems(t.Warnings)}
	for _, route := range t.Routes {
		out.Routes = append(out.Routes, RouteOf(route))
	}
	answer(w, http.StatusOK, out)
}

// RouteOf shows a compiled route, as the table and an [Explanation] have it.
func RouteOf(r *routes.Route) Route {
	out := Route{
		ID: r.ID, Upstream: r.Upstream, Migration: r.Migration, Else: r.Else, Repeatable: r.Repeatable,
		Rewrite: rewriteText(r.Rewrite), Request: editsText(r.Request), Response: editsText(r.Response),
		BodyBytes: r.BodyBytes, At: positionText(r.At),
		Match: Match{
			Hosts: r.Match.Hosts, Path: r.Match.Path, Methods: r.Match.Methods,
			Headers: pairsText(r.Match.Headers, false), Query: pairsText(r.Match.Query, false), Cookies: pairsText(r.Match.Cookies, true),
		},
	}
	for _, k := range r.Key {
		out.Key = append(out.Key, k.String())
	}
	if r.Timeout > 0 {
		out.Timeout = r.Timeout.String()
	}
	return out
}

func pairsText(pairs []routes.Pair, secret bool) (out []string) {
	for _, p := range pairs {
		switch {
		case p.Any:
			out = append(out, p.Name)
		case secret || isCredential(p.Name):
			out = append(out, p.Name+"=(hidden)")
		case p.Pattern != nil:
			out = append(out, p.Name+"~"+p.Pattern.String())
		default:
			out = append(out, p.Name+"="+p.Value)
		}
	}
	return out
}

// isCredential reports whether a header of that name, or a query parameter,
// may hold a secret.
func isCredential(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"auth", "cookie", "token", "secret", "key", "password", "signature"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

func rewriteText(r *routes.Rewrite) string {
	if r == nil {
		return ""
	}
	var parts []string
	if r.Strip != "" {
		parts = append(parts, "strip "+r.Strip)
	}
	if r.Pattern != nil {
		parts = append(parts, fmt.Sprintf("replace %s by %s", r.Pattern, r.Replace))
	}
	if r.Add != "" {
		parts = append(parts, "add "+r.Add)
	}
	return strings.Join(parts, ", ")
}

func editsText(e *routes.HeaderEdit) (out []string) {
	if e == nil {
		return nil
	}
	for _, name := range e.Remove {
		out = append(out, "remove "+name)
	}
	for _, f := range e.Set {
		out = append(out, "set "+f.Name)
	}
	for _, f := range e.Add {
		out = append(out, "add "+f.Name)
	}
	return out
}

func positionText(p routes.Position) string {
	if p.File == "" || p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}
