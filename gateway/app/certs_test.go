package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeCertificate writes a self-signed certificate for a name, and returns
// its serial number.
func writeCertificate(t *testing.T, dir, file, name string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for ending, block := range map[string]*pem.Block{".pem": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, file+ending), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return serial.String()
}

// insecure takes the certificates of these tests.
var insecure = &tls.Config{InsecureSkipVerify: true}

// shown returns the serial number of the certificate that a listener shows to
// whoever asks for a name, and the protocol that is agreed upon.
func shown(t *testing.T, address, name string, protocols ...string) (serial, protocol string) {
	t.Helper()
	c, err := tls.Dial("tcp", address, &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: protocols})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.String(), c.ConnectionState().NegotiatedProtocol
}

// TestCertificates: of several the one that fits the name is shown, a file that
// is replaced counts in a moment, and one that is broken does not.
func TestCertificates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shop, admin := writeCertificate(t, dir, "shop", "shop.example"), writeCertificate(t, dir, "admin", "admin.example")
	g, err := tryStart(t, dir, fmt.Sprintf(`
listen: {address: "127.0.0.1:0", tls: [{cert: shop.pem, key: shop.key}, {cert: admin.pem, key: admin.key}]}
admin: {address: 127.0.0.1:0, socket: none}
state: file:$DIR/ficus.events
upstreams: {monolith: "%s"}
routes: [{path: /*, upstream: monolith}]
`, named(t, "monolith")))
	if err != nil {
		t.Fatal(err)
	}
	address := g.Addrs()[0].String()
	for name, want := range map[string]string{"shop.example": shop, "admin.example": admin, "unknown.example": shop, "": shop} {
		if got, _ := shown(t, address, name); got != want {
			t.Errorf("%q is shown another certificate", name)
		}
	}
	for _, asked := range [][]string{{"h2", "http/1.1"}, {"http/1.1"}, nil} {
		want := ""
		if len(asked) > 0 {
			want = asked[0]
		}
		if _, got := shown(t, address, "", asked...); got != want {
			t.Errorf("of %v, %q was agreed upon", asked, got)
		}
	}

	tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, Protocols: new(http.Protocols)}
	tr.Protocols.SetHTTP2(true)
	defer tr.CloseIdleConnections()
	ask := func() (*http.Response, string) {
		t.Helper()
		res, err := (&http.Client{Transport: tr}).Get("https://" + address + "/x")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(text)
	}
	if res, text := ask(); res.ProtoMajor != 2 || !strings.HasPrefix(text, "monolith GET /x") {
		t.Errorf("%s: %q", res.Proto, text)
	}

	renewed := writeCertificate(t, dir, "shop", "shop.example")
	eventually(t, "the new certificate is shown", func() bool {
		got, _ := shown(t, address, "shop.example")
		return got == renewed
	})
	if got, _ := shown(t, address, "admin.example"); got != admin {
		t.Error("the other certificate has changed too")
	}
	if res, _ := ask(); res.ProtoMajor != 2 { // on the connection that is open
		t.Error(res.Proto)
	}

	// Half of a pair is no pair, and rubbish is none either.
	for _, broken := range []string{"shop.pem", "shop.key"} {
		if err := os.WriteFile(filepath.Join(dir, broken), []byte("rubbish "+broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(filepath.Join(dir, broken), time.Now(), time.Now()); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the broken certificate is reported", func() bool {
			return strings.Contains(g.log.String(), "certificate not reloaded, the last good one stays")
		})
		if got, _ := shown(t, address, "shop.example"); got != renewed {
			t.Errorf("a broken %s is taken", broken)
		}
	}
	again := writeCertificate(t, dir, "shop", "shop.example")
	eventually(t, "the repaired certificate is shown", func() bool {
		got, _ := shown(t, address, "shop.example")
		return got == again
	})

	// At the end a client on HTTP/2 is told by GOAWAY, and loses nothing.
	ended := make(chan error, 1)
	go func() { ended <- g.stop(time.Minute) }()
	eventually(t, "the gateway drains", func() bool { return g.draining.Load() })
	if res, text := ask(); res.StatusCode != http.StatusOK {
		t.Errorf("%s: %q", res.Status, text)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestACertificateThatCannotBeReadKeepsTheGatewayFromStarting, with the name of the file.
func TestACertificateThatCannotBeReadKeepsTheGatewayFromStarting(t *testing.T) {
	t.Parallel()
	_, err := tryStart(t, t.TempDir(), `
listen: {address: "127.0.0.1:0", tls: {cert: shop.pem, key: shop.key}}
admin: {address: 127.0.0.1:0, socket: none}
state: file:$DIR/ficus.events
upstreams: {monolith: "http://127.0.0.1:1"}
routes: [{path: /*, upstream: monolith}]
`)
	if err == nil || !strings.Contains(err.Error(), "shop.pem") {
		t.Errorf("got %v", err)
	}
}
