package redislog

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// wantWorking appends to a log and reads it back, waiting.
func wantWorking(t *testing.T, l *Log) {
	t.Helper()
	f := follow(t.Context(), l, 0)
	for seq := uint64(1); seq <= 3; seq++ {
		e := live("orders", int(seq))
		if seq == 1 {
			e = created("orders")
		}
		if got := mustAppend(t, l, e); got != seq {
			t.Errorf("event %d has number %d", seq, got)
		}
		wantNext(t, f, seq)
	}
	wantHead(t, l, 3)
}

func TestSocketLeadsToRedis(t *testing.T) {
	s := newServer(t)
	wantWorking(t, open(t, "unix://"+s.socket()+"?db=1", still()))
}

func TestClusterKeepsALogInOneSlot(t *testing.T) {
	a := newServer(t, "--cluster-enabled", "yes")
	b := newServer(t, "--cluster-enabled", "yes")
	a.do(t, "CLUSTER", "ADDSLOTSRANGE", 0, 8191)
	b.do(t, "CLUSTER", "ADDSLOTSRANGE", 8192, 16383)
	a.do(t, "CLUSTER", "MEET", "127.0.0.1", b.port)
	for _, s := range []*server{a, b} {
		for range 200 {
			if info := fmt.Sprint(s.do(t, "CLUSTER", "INFO")); len(info) > 16 && info[:16] == "cluster_state:ok" {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	halves := make(map[bool]string)
	for n := 0; len(halves) < 2; n++ {
		name := fmt.Sprint("shop", n)
		halves[a.do(t, "CLUSTER", "KEYSLOT", "{"+name+"}").(int64) < 8192] = name
	}
	for _, installation := range halves {
		l := open(t, "redis+cluster://127.0.0.1:"+a.port+",127.0.0.1:"+b.port+"?installation="+installation, still())
		wantWorking(t, l)
		if seq, err := l.Checkpoint(t.Context(), latest(t, l)); err != nil || seq != 4 {
			t.Errorf("checkpoint: %d, %v", seq, err)
		}
	}
	if a.do(t, "DBSIZE") == int64(0) || b.do(t, "DBSIZE") == int64(0) {
		t.Error("all logs are in one half")
	}
}

func TestSentinelsLeadToTheNewMaster(t *testing.T) {
	master := newServer(t)
	replica := newServer(t, "--replicaof", "127.0.0.1", master.port)
	guide := newSentinel(t, master.port)
	o := still()
	o.Patience = 30 * time.Second
	l := open(t, "redis+sentinel://127.0.0.1:"+guide.port+"/main", o)
	f := follow(t.Context(), l, 0)
	mustAppend(t, l, created("orders"))
	wantNext(t, f, 1)
	seen := open(t, replica.url(), still())
	for range 200 {
		link := fmt.Sprint(replica.do(t, "INFO", "replication"))
		if n, err := seen.Head(t.Context()); err == nil && n == 1 && strings.Contains(link, "master_link_status:up") &&
			strings.Contains(fmt.Sprint(guide.do(t, "SENTINEL", "REPLICAS", "main")), replica.port) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	guide.do(t, "SENTINEL", "FAILOVER", "main")
	for range 600 {
		// Until the old master is told, it takes events that nobody else has.
		if strings.Contains(fmt.Sprint(master.do(t, "ROLE")), "slave") {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	seq := mustAppend(t, l, live("orders", 1))
	for r := next(t, f); ; r = next(t, f) {
		if r.err == nil {
			if r.event.Seq != seq {
				t.Errorf("got event %d", r.event.Seq)
			}
			break
		}
		if !TroubleOf(r.err).Passes() {
			t.Fatal(r.err)
		}
		f = follow(t.Context(), l, 1)
	}
	wantHead(t, open(t, replica.url(), still()), seq)
}

// newSentinel starts a sentinel that watches one master, called main.
func newSentinel(t *testing.T, port string) *server {
	t.Helper()
	s := newServer(t) // finds the program; a sentinel is the same one
	s.kill()
	s.args = []string{s.args[0], "--sentinel"}
	config := fmt.Sprintf("port %s\nbind 127.0.0.1\ndir %s\nsentinel monitor main 127.0.0.1 %s 1\nsentinel down-after-milliseconds main 2000\n", s.port, s.dir, port)
	if err := os.WriteFile(filepath.Join(s.dir, "sentinel.conf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start(t)
	return s
}

func TestTLSIsVerified(t *testing.T) {
	dir := t.TempDir()
	roots := newCertificate(t, dir)
	s := newServer(t)
	s.kill()
	port := freePort(t)
	s.args = append(s.args, "--tls-port", port, "--tls-cert-file", dir+"/cert", "--tls-key-file", dir+"/key", "--tls-auth-clients", "no")
	s.start(t)
	o := still()
	o.TLS = &tls.Config{RootCAs: roots}
	wantWorking(t, open(t, "rediss://127.0.0.1:"+port, o))
	o.TLS = nil
	stranger := open(t, "rediss://127.0.0.1:"+port, o)
	if _, err := stranger.Head(t.Context()); err == nil {
		t.Error("an unknown certificate was trusted")
	}
}

// newCertificate writes the files cert and key, and returns who trusts them.
func newCertificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyBytes, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert": {Type: "CERTIFICATE", Bytes: cert}, "key": {Type: "PRIVATE KEY", Bytes: keyBytes}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(cert)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return pool
}
