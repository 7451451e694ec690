package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ficus-gateway/ficus/routes"
)

// certificates holds the certificates of all listeners and reads their files
// again when they change. A pair that can't be read leaves the last good one.
type certificates struct {
	log *slog.Logger

	mu    sync.Mutex // guards pairs
	pairs map[routes.Certificate]*pair
}

// A pair is one certificate with its key.
type pair struct {
	files   routes.Certificate
	current atomic.Pointer[tls.Certificate]
	stamp   [2]fileStamp
}

// A fileStamp tells one version of a file from another.
type fileStamp struct {
	modified time.Time
	size     int64
}

func newCertificates(log *slog.Logger) *certificates {
	return &certificates{log: log, pairs: make(map[routes.Certificate]*pair)}
}

// load reads the files of a listener; it is an error if one can't be.
func (cs *certificates) load(files []routes.Certificate) error {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for _, f := range files {
		if cs.pairs[f] != nil {
			continue
		}
		p := &pair{files: f}
		if err := p.read(); err != nil {
			return err
		}
		cs.pairs[f] = p
	}
	return nil
}

func (p *pair) read() error {
	stamp := stampOf(p.files)
	c, err := tls.LoadX509KeyPair(p.files.Cert, p.files.Key)
	if err != nil {
		return fmt.Errorf("read the certificate %s with the key %s: %w", p.files.Cert, p.files.Key, err)
	}
	if c.Leaf == nil {
		if c.Leaf, err = x509.ParseCertificate(c.Certificate[0]); err != nil {
			return fmt.Errorf("read the certificate %s: %w", p.files.Cert, err)
		}
	}
	p.stamp = stamp
	p.current.Store(&c)
	return nil
}

func stampOf(c routes.Certificate) (s [2]fileStamp) {
	for i, name := range [...]string{c.Cert, c.Key} {
		if info, err := os.Stat(name); err == nil {
			s[i] = fileStamp{info.ModTime(), info.Size()}
		}
	}
	return s
}

// watch looks at the files every few seconds, until ctx ends.
func (cs *certificates) watch(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			cs.refresh()
		}
	}
}

// refresh reads the files that have changed.
func (cs *certificates) refresh() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for _, p := range cs.pairs {
		now := stampOf(p.files)
		if now == p.stamp {
			continue
		}
		if err := p.read(); err != nil {
			p.stamp = now // say it once for each version
			cs.log.Error("certificate not reloaded, the last good one stays", "error", err)
			continue
		}
		cs.log.Info("certificate reloaded", "cert", p.files.Cert, "not_after", p.current.Load().Leaf.NotAfter)
	}
}

var errNoCertificate = errors.New("no certificate is configured")

// get returns the function that chooses among the certificates of a listener:
// the first that fits the name the client asks for, else the first.
func (cs *certificates) get(files []routes.Certificate) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	var pairs []*pair
	cs.mu.Lock()
	for _, f := range files {
		if p := cs.pairs[f]; p != nil {
			pairs = append(pairs, p)
		}
	}
	cs.mu.Unlock()
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		for _, p := range pairs {
			if c := p.current.Load(); hello.SupportsCertificate(c) == nil {
				return c, nil
			}
		}
		if len(pairs) == 0 {
			return nil, errNoCertificate
		}
		return pairs[0].current.Load(), nil
	}
}
