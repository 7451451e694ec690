package access

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// How much the identity provider may say, and when it is asked again what its
// endpoints are.
const (
	providerAnswer = 1 << 20 // bytes
	providerAge    = time.Hour
	providerRest   = 3 * time.Second // after it could not be reached
)

// A provider is the identity provider, which is asked for its endpoints when
// the first person signs in: a gateway starts without it.
type provider struct {
	issuer  string
	timeout time.Duration // of all that one sign-on asks of it
	client  *http.Client
	now     func() time.Time

	mu    sync.Mutex // guards what follows, and is held while it is asked
	found *oidc.Provider
	asked time.Time // when it was found, or was not
	err   error     // of the last asking
}

func newProvider(issuer string, timeout time.Duration, now func() time.Time) *provider {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = 64 << 10
	return &provider{issuer: issuer, timeout: timeout, now: now, client: &http.Client{
		Transport: bounded{transport},
		Timeout:   timeout,
		// What carries our secret goes where the provider said at discovery, and nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// context lets go-oidc and oauth2 use our client, within its deadline.
func (p *provider) context(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	return oidc.ClientContext(ctx, p.client), cancel
}

// get returns what the provider says of itself. While it can't be reached,
// what it said before stands.
func (p *provider) get(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	age := p.now().Sub(p.asked)
	if p.err == nil && p.found != nil && age < providerAge || p.err != nil && age < providerRest {
		return p.last()
	}
	// Whoever asks first asks for all who wait, so that their going away ends nothing.
	ctx, cancel := p.context(context.WithoutCancel(ctx))
	defer cancel()
	found, err := oidc.NewProvider(ctx, p.issuer)
	p.asked, p.err = p.now(), err
	if err == nil {
		p.found = found
	}
	return p.last()
}

func (p *provider) last() (*oidc.Provider, error) {
	if p.found != nil {
		return p.found, nil
	}
	return nil, p.err
}

// bounded cuts answers that are too long.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		res.Body = &boundedBody{res.Body, providerAnswer}
	}
	return res, err
}

type boundedBody struct {
	io.ReadCloser
	left int
}

var errTooLong = errors.New("the answer is too long")

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left < 0 {
		return 0, errTooLong
	}
	return n, err
}
