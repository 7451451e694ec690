package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
)

// CreateToken makes a token. It is in the answer and nowhere else.
func (c *Client) CreateToken(ctx context.Context, r dashboard.TokenRequest) (dashboard.NewToken, error) {
	return post[dashboard.NewToken](ctx, c, "/api/tokens", r)
}

// Tokens lists the tokens that were issued, without the tokens themselves.
func (c *Client) Tokens(ctx context.Context) (dashboard.Tokens, error) {
	return get[dashboard.Tokens](ctx, c, "/api/tokens", nil)
}

// RevokeToken makes a token worthless at once, and ends the sessions that were
// opened with it.
func (c *Client) RevokeToken(ctx context.Context, id string) (out dashboard.TokenInfo, err error) {
	err = c.do(ctx, http.MethodDelete, "/api/tokens/"+url.PathEscape(id), nil, &out)
	return out, err
}

// Audit returns who came in and who was refused, newest first.
func (c *Client) Audit(ctx context.Context, f dashboard.AuditFilter) (dashboard.Audit, error) {
	q := url.Values{}
	for name, text := range map[string]string{"what": string(f.What), "actor": f.Actor} {
		if text != "" {
			q.Set(name, text)
		}
	}
	if f.Limit > 0 {
		q.Set("limit", strconv.Itoa(f.Limit))
	}
	if f.Before > 0 {
		q.Set("before", strconv.FormatUint(f.Before, 10))
	}
	return get[dashboard.Audit](ctx, c, "/api/audit", q)
}
