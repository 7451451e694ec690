package flagd

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

// A remote is a source behind a URL. It is asked with the ETag of what was kept
// last, so that nothing is sent when nothing has changed.
type remote struct {
	url    *url.URL
	client *http.Client
	o      Options

	etag, good string // of what was read last, and of what was kept last
}

func newRemote(u *url.URL, o Options) *remote {
	client := &http.Client{}
	if o.Client != nil {
		*client = *o.Client
	}
	if client.CheckRedirect == nil {
		client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
			if r.URL.Host != via[0].URL.Host { // what is sent to the one is not meant for the other
				for name := range o.Header {
					r.Header.Del(name)
				}
			}
			return stayEncrypted(r, via)
		}
	}
	return &remote{url: u, client: client, o: o}
}

// stayEncrypted refuses a redirect from https to http, where anybody on the
// way could give out flags, and the header.
func stayEncrypted(r *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("too many redirects")
	}
	if via[0].URL.Scheme == "https" && r.URL.Scheme != "https" {
		return fmt.Errorf("redirected to %s, which is not encrypted", r.URL.Redacted())
	}
	return nil
}

func (s *remote) name() string {
	u := *s.url
	u.RawQuery = "" // may hold a token
	return u.Redacted()
}

func (s *remote) kept() { s.good = s.etag }

func (s *remote) read(ctx context.Context) (data []byte, unchanged bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url.String(), nil)
	if err != nil {
		return nil, false, s.trouble(err)
	}
	for name, values := range s.o.Header {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	r.Header.Set("Accept", "application/json")
	if s.good != "" {
		r.Header.Set("If-None-Match", s.good)
	}
	res, err := s.client.Do(r)
	if err != nil {
		return nil, false, s.trouble(err)
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusNotModified && s.good != "":
		return nil, true, nil
	case res.StatusCode != http.StatusOK:
		return nil, false, fmt.Errorf("GET %s: the answer is %s; it must be 200", s.name(), res.Status)
	}
	data, err = readAll(res.Body, s.o.MaxBytes, s.name())
	if err != nil {
		return nil, false, s.trouble(err)
	}
	s.etag = res.Header.Get("ETag")
	return data, false, nil
}

// trouble says which request failed, without what its URL may hold.
func (s *remote) trouble(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return fmt.Errorf("GET %s: %w", s.name(), err)
}

func (s *remote) follow(ctx context.Context, look func(trigger string)) {
	for {
		pause := time.NewTimer(s.o.Interval + rand.N(s.o.Interval/10+1))
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
			look("poll")
		}
	}
}
