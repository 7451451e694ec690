package routes

import (
	"net/url"
	"strings"
	"time"
)

// OIDC says how people sign in with an identity provider.
type OIDC struct {
	Issuer, ClientID                  string
	ClientSecretEnv, ClientSecretFile string // where the secret is; both empty: there is none
	Scopes                            []string
	GroupsClaim, NameClaim            string
	Admin, Operator, Viewer           []string // groups
}

const (
	defaultSessionIdle = Duration(4 * time.Hour)
	defaultSessionLife = Duration(12 * time.Hour)
)

// access compiles who comes in by the admin listener.
func (c *compiler) access(at spot, out *Admin) {
	a := c.main.Admin
	out.URL = strings.TrimSuffix(a.URL, "/")
	if a.URL != "" {
		checkOrigin(at.key("url"), a.URL)
	}
	for i, cert := range a.TLS {
		tls := at.key("tls").index(i)
		if cert.Cert == "" || cert.Key == "" {
			tls.follow("write tls: {cert: cert.pem, key: key.pem}", "a certificate needs both cert and key")
		}
		out.TLS = append(out.TLS, Certificate{tls.src.path(cert.Cert), tls.src.path(cert.Key)})
	}
	out.SessionIdle, out.SessionLifetime = valueOr(a.Session.Idle, defaultSessionIdle).std(), valueOr(a.Session.Lifetime, defaultSessionLife).std()
	session := at.key("session")
	switch {
	case out.SessionIdle <= 0:
		session.key("idle").fail("write a duration such as 4h", "must not be 0: nobody could stay signed in")
	case out.SessionLifetime < out.SessionIdle:
		session.key("lifetime").fail("write a longer one, such as 12h", "a session ends after %v in any case, and may be idle for %v", out.SessionLifetime, out.SessionIdle)
	}
	if at.key("oidc").written() {
		out.OIDC = c.oidc(at.key("oidc"), a)
	}
}

func (c *compiler) oidc(at spot, a AdminConfig) *OIDC {
	f := a.OIDC
	if a.URL == "" {
		at.fail("write admin: {url: https://ficus.example.com, ...}", "the identity provider sends people back to a URL, and admin has none")
	}
	if f.Issuer == "" {
		at.fail("write issuer: https://id.example.com", "has no issuer")
	} else {
		checkIssuer(at.key("issuer"), f.Issuer)
	}
	if f.ClientID == "" {
		at.fail("write client_id: and the id that the provider has given", "has no client_id")
	}
	if f.ClientSecretEnv != "" && f.ClientSecretFile != "" {
		at.key("client_secret_file").fail("remove one of them", "the secret is either in an environment variable or in a file")
	}
	if len(f.Roles.Admin)+len(f.Roles.Operator)+len(f.Roles.Viewer) == 0 {
		at.fail(`write roles: {admin: [platform], operator: [team-orders], viewer: ["*"]}`, "gives no group a role, so that nobody can sign in")
	}
	for name, groups := range map[string][]string{"admin": f.Roles.Admin, "operator": f.Roles.Operator, "viewer": f.Roles.Viewer} {
		for i, g := range groups {
			if g == "" || len(g) > 200 {
				at.key("roles").key(name).index(i).fail("write the name of a group, or * for everybody", "%s is no name of a group", at.key("roles").key(name).index(i).quote(g))
			}
		}
	}
	return &OIDC{
		Issuer: f.Issuer, ClientID: f.ClientID, ClientSecretEnv: f.ClientSecretEnv, ClientSecretFile: at.src.path(f.ClientSecretFile),
		Scopes: f.Scopes, GroupsClaim: or(f.GroupsClaim, "groups"), NameClaim: or(f.NameClaim, "email"),
		Admin: f.Roles.Admin, Operator: f.Roles.Operator, Viewer: f.Roles.Viewer,
	}
}

// checkOrigin wants the URL of a host, without a path: cookies and the pages
// of the admin listener are of the whole host.
func checkOrigin(at spot, text string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		at.fail("write scheme and host, such as https://ficus.example.com", "%s is not the URL of a host", at.quote(text))
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		at.fail("write https://, and let a proxy or tls: provide it", "%s would send tokens in clear", at.quote(text))
	}
}

func checkIssuer(at spot, text string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		at.fail("write the URL of the identity provider, such as https://id.example.com", "%s is not an issuer", at.quote(text))
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		at.fail("write https://", "%s could be anybody: what it says of people is believed", at.quote(text))
	}
}
