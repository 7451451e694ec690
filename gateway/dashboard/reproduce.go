package dashboard

import (
	"net/http"
	"strings"

	"github.com/ficus-gateway/ficus/migrations"
)

// reproduce writes the commands by which somebody sees a finding with their
// own eyes: both sides asked what the smallest example asked, and compared.
// Cookies, credentials and bodies are not kept, so they are not in it.
func (a *api) reproduce(f Finding) []string {
	t := a.Table()
	plan := t.Plans[f.Migration]
	if plan == nil || len(f.Examples) == 0 || !strings.HasPrefix(f.Examples[0].Target, "/") {
		return nil
	}
	method, _, _ := strings.Cut(f.Endpoint, " ")
	if method == http.MethodHead { // curl -I has no body to compare
		method = http.MethodGet
	}
	var out []string
	for _, side := range [...]struct{ upstream, file string }{{plan.From, "legacy.http"}, {plan.To, "modern.http"}} {
		u := t.Upstreams[side.upstream]
		if u == nil || len(u.Endpoints) == 0 || u.Endpoints[0].Socket != "" {
			return nil
		}
		out = append(out, Curl(method, u.Endpoints[0].URL().String()+f.Examples[0].Target)+" > "+side.file)
	}
	control, candidate := "legacy.http", "modern.http"
	if f.Examples[0].ControlSide == migrations.Modern {
		control, candidate = candidate, control
	}
	return append(out, "ficus compare "+control+" "+candidate+" --migration "+quoteShell(f.Migration))
}

// Curl writes a command that asks for a URL and shows the whole answer.
func Curl(method, url string) string {
	line := "curl -sSi "
	if method != http.MethodGet {
		line += "-X " + quoteShell(method) + " "
		if !isSafe(method) {
			line += "--data-binary @body "
		}
	}
	return line + quoteShell(url)
}

func isSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// quoteShell makes one word of a text for any shell.
func quoteShell(text string) string {
	if text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:") == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
