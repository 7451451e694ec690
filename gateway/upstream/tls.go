package upstream

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"

	"github.com/ficus-gateway/ficus/routes"
)

// clientTLS makes the TLS settings for an endpoint.
func clientTLS(def routes.Upstream, e routes.Endpoint) (*tls.Config, error) {
	t := def.TLS
	cfg := &tls.Config{
		ServerName:         t.ServerName,
		InsecureSkipVerify: t.Insecure, // asked for in so many words
		MinVersion:         tls.VersionTLS12,
		ClientSessionCache: tls.NewLRUClientSessionCache(64),
		NextProtos:         []string{"http/1.1"},
	}
	if cfg.ServerName == "" {
		cfg.ServerName = e.Host
		if host, _, err := net.SplitHostPort(e.Host); err == nil {
			cfg.ServerName = host
		}
	}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("read tls.ca: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("tls.ca: %s holds no certificate", t.CA)
		}
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("read tls.cert and tls.key: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}
