package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
)

// A Client speaks to one gateway. It may be used from several goroutines.
type Client struct {
	address string // as it was given
	base    string // "http://127.0.0.1:9900"
	token   access.Token
	actor   string
	http    *http.Client
}

// Timeout bounds one exchange: more than a gateway takes to say that its log
// does not answer.
const Timeout = 20 * time.Second

// maxAnswer is the greatest number of bytes of an answer that is read.
const maxAnswer = 64 << 20

// New returns a client of the gateway at address: "127.0.0.1:9900", a URL, or
// "unix:/path". The token may be zero for reads. The actor is who asks, and
// counts where the gateway's token is shared by several people.
func New(address string, token access.Token, actor string) (*Client, error) {
	// Neither a proxy nor a redirect belongs between an operator, with the token, and the gateway.
	transport := &http.Transport{MaxIdleConns: 2, IdleConnTimeout: 30 * time.Second}
	c := &Client{address: address, token: token, actor: actor, http: &http.Client{
		Transport:     transport,
		Timeout:       Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		if path == "" {
			return nil, fmt.Errorf("admin address %q: name the socket, as in unix:/run/ficus.sock", address)
		}
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		}
		c.base = "http://localhost"
		return c, nil
	}
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("admin address %q: write it as 127.0.0.1:9900, http://127.0.0.1:9900 or unix:/path", c.address)
	}
	c.base = u.Scheme + "://" + u.Host + strings.TrimSuffix(u.Path, "/")
	return c, nil
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func get[T any](ctx context.Context, c *Client, path string, query url.Values) (out T, err error) {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	err = c.do(ctx, http.MethodGet, path, nil, &out)
	return out, err
}

func post[T any](ctx context.Context, c *Client, path string, in any) (out T, err error) {
	text, err := json.Marshal(in)
	if err != nil {
		return out, fmt.Errorf("writing the request: %w", err)
	}
	err = c.do(ctx, http.MethodPost, path, text, &out)
	return out, err
}

func (c *Client) do(ctx context.Context, method, path string, body []byte, out any) error {
	text, err := c.exchange(ctx, method, path, body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("%s %s: the answer is not what a gateway says: %w; is it one that listens at %s?", method, path, err, c.address)
	}
	return nil
}

// exchange sends a request and returns the body of the answer. An answer that
// is a problem becomes an error.
func (c *Client) exchange(ctx context.Context, method, path string, body []byte) (text []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if !c.token.IsZero() {
		req.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	}
	if c.actor != "" {
		req.Header.Set("Ficus-Actor", headerText(c.actor))
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("reading the gateway's answer: %w", err)
	}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json") {
		p := new(dashboard.Problem)
		if err := json.Unmarshal(text, p); err == nil && p.Type != "" {
			return nil, &Error{Problem: p, hint: hint(p)}
		}
	}
	notReady := path == readyPath && res.StatusCode == http.StatusServiceUnavailable // an answer, not a failure
	if res.StatusCode >= 300 && !notReady {
		return nil, fmt.Errorf("%s %s: %s; is it a gateway that listens at %s?", method, path, res.Status, c.address)
	}
	return text, nil
}

// headerText makes a name fit for a header.
func headerText(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, name)
}
