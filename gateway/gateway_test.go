package gateway

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/routes"
)

// tableOf loads a config that a test writes.
func tableOf(t testing.TB, config string) *routes.Table {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ficus.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	table, err := routes.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// gatewayOf makes a gateway of a config.
func gatewayOf(t testing.TB, config string) *Gateway {
	t.Helper()
	g, _ := gatewayWithJournal(t, config)
	return g
}

func gatewayWithJournal(t testing.TB, config string) (*Gateway, *journal) {
	t.Helper()
	j := &journal{}
	access := telemetry.NewAccessLog(j, telemetry.AccessOptions{Every: 5 * time.Millisecond})
	assigner, err := flags.New(flags.Options{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(Options{Table: tableOf(t, config), Assigner: assigner, Access: access, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		g.Close(ctx)
		assigner.Close()
		_ = access.Close(context.Background())
	})
	return g, j
}

// before is the config of a gateway with one upstream; more are lines of that upstream.
func before(url string, more ...string) string {
	config := "upstreams:\n  monolith:\n    url: " + url + "\n"
	for _, line := range more {
		config += "    " + line + "\n"
	}
	return config + "routes:\n  - {path: /*, upstream: monolith}\n"
}

// listen gives a gateway a real listener and returns its address.
func listen(t testing.TB, g *Gateway, l routes.Listener) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, g, l, ln)
}

func serveOn(t testing.TB, g *Gateway, l routes.Listener, ln net.Listener) string {
	t.Helper()
	server := g.Server(l)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if len(l.TLS) > 0 {
			_ = server.ServeTLS(ln, l.TLS[0].Cert, l.TLS[0].Key)
		} else {
			_ = server.Serve(ln)
		}
	}()
	t.Cleanup(func() {
		server.Close()
		<-ended
	})
	return ln.Addr().String()
}

// frontOf puts a gateway in front of a URL and returns its own.
func frontOf(t testing.TB, url string, more ...string) (string, *Gateway) {
	t.Helper()
	g := gatewayOf(t, before(url, more...))
	return "http://" + listen(t, g, routes.Listener{}), g
}

// certificate makes a self-signed certificate for 127.0.0.1.
func certificate(t testing.TB) (routes.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost", "shop.example"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := routes.Certificate{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	for name, block := range map[string]*pem.Block{c.Cert: {Type: "CERTIFICATE", Bytes: der}, c.Key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return c, pool
}

// browser is a client with connections of its own. Protocols name "h1", "h2" or "h2c".
func browser(t testing.TB, protocol string, roots *x509.CertPool) *http.Client {
	tr := &http.Transport{DisableCompression: true, Protocols: new(http.Protocols), TLSClientConfig: &tls.Config{RootCAs: roots}}
	switch protocol {
	case "h1":
		tr.Protocols.SetHTTP1(true)
	case "h2":
		tr.Protocols.SetHTTP2(true)
	case "h2c":
		tr.Protocols.SetUnencryptedHTTP2(true)
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// get asks and returns the status and the body.
func get(t testing.TB, url string) (int, string) {
	t.Helper()
	res, err := browser(t, "h1", nil).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}
