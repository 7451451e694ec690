package outside

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/open-feature/go-sdk-contrib/providers/ofrep"
	"github.com/open-feature/go-sdk/openfeature"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 64 << 10

// An OFREP is a flag service that speaks the OpenFeature Remote Evaluation
// Protocol.
type OFREP struct {
	URL     string            // what comes before /ofrep/v1/
	Token   string            // sent as Authorization: Bearer; empty: none
	Headers map[string]string // sent with every request
}

// Provider returns a provider that asks the service, each time and with nothing
// but a long limit: put it behind [New]. AtOnce is the number of connections.
func (s OFREP) Provider(atOnce int) openfeature.FeatureProvider {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxConnsPerHost, transport.MaxIdleConnsPerHost = atOnce, atOnce
	transport.MaxResponseHeaderBytes = 64 << 10
	client := &http.Client{
		Transport: bounded{transport},
		Timeout:   10 * time.Second, // the context ends before it
		CheckRedirect: func(*http.Request, []*http.Request) error { // a POST becomes a GET on its way, and the token goes where nobody sent it
			return http.ErrUseLastResponse
		},
	}
	options := []ofrep.Option{ofrep.WithClient(client)}
	for name, value := range s.Headers {
		options = append(options, ofrep.WithHeader(name, value))
	}
	if s.Token != "" {
		options = append(options, ofrep.WithBearerToken(s.Token))
	}
	return ofrep.NewProvider(s.URL, options...)
}

// bounded reads no more of an answer than it may have.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		res.Body = &boundedBody{ReadCloser: res.Body, left: maxAnswer}
	}
	return res, err
}

type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
