package app

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
	"github.com/ficus-gateway/ficus/routes"
)

// openDoor reads who may come in by the admin listener. The identity provider
// is asked only when somebody signs in.
func (p *Process) openDoor(s routes.Server) error {
	o := access.Options{
		Shared: p.token, Dir: s.Beside(), Idle: s.Admin.SessionIdle, Lifetime: s.Admin.SessionLifetime, Logger: p.log,
	}
	if p.shared != nil {
		o.Store = sharedAccess{p.shared.client, p.shared.key}
	}
	if c := s.Admin.OIDC; c != nil {
		secret, err := clientSecret(c)
		if err != nil {
			return err
		}
		o.SignOn = &access.SignOnOptions{
			Issuer: c.Issuer, ClientID: c.ClientID, ClientSecret: secret, Redirect: s.Admin.URL + "/login/callback", Scopes: c.Scopes,
			GroupsClaim: c.GroupsClaim, NameClaim: c.NameClaim, Secret: p.signs,
			Roles: map[access.Role][]string{access.Admin: c.Admin, access.Operator: c.Operator, access.Viewer: c.Viewer},
		}
	}
	var err error
	if err = p.certs.load(s.Admin.TLS); err != nil {
		return err
	}
	p.door, err = access.Open(o)
	return err
}

// clientSecret reads the gateway's secret with the identity provider, "" if
// there is none. Its errors do not contain it.
func clientSecret(c *routes.OIDC) (string, error) {
	switch {
	case c.ClientSecretEnv != "":
		secret, ok := os.LookupEnv(c.ClientSecretEnv)
		if !ok || secret == "" {
			return "", fmt.Errorf("the environment variable %s, which is to have the secret of the identity provider's client, is not set", c.ClientSecretEnv)
		}
		return secret, nil
	case c.ClientSecretFile != "":
		f, err := os.Open(c.ClientSecretFile)
		if err != nil {
			return "", fmt.Errorf("the secret of the identity provider's client: %w", err)
		}
		defer f.Close()
		text, err := io.ReadAll(io.LimitReader(f, 4096))
		if err != nil {
			return "", fmt.Errorf("the secret of the identity provider's client: %w", err)
		}
		return strings.TrimSpace(string(text)), nil
	}
	return "", nil
}
