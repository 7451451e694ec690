package app

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/ficus-gateway/ficus/migrations/evidence"
	"github.com/ficus-gateway/ficus/migrations/redistally"
)

// nameFile lies beside the state and has the name of this gateway. What it has
// counted is kept there too and taken up at a restart, so it must go on under
// the same name: under another it would count twice.
const nameFile = "ficus.name"

var validName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,80}$`)

// loadName returns the name of this gateway among those that ever share a log,
// which it makes at the first start; it tells people where the gateway runs.
func loadName(dir string) (string, error) {
	path := filepath.Join(dir, nameFile)
	text, err := os.ReadFile(path)
	if name := strings.TrimSpace(string(text)); err == nil && validName.MatchString(name) {
		return name, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("state: the name of this gateway: %w", err)
	}
	host, err := os.Hostname()
	if err != nil || !validName.MatchString(host) || len(host) > 64 {
		host = "gateway"
	}
	name := host + "-" + strings.ToLower(rand.Text()[:8])
	if err := writeDurably(path, []byte(name+"\n")); err != nil {
		return "", fmt.Errorf("state: the name of this gateway: %w", err)
	}
	return name, nil
}

// name returns the name of this gateway among those that share its log; empty:
// there are no others.
func (p *Process) name() string {
	if p.shared == nil {
		return ""
	}
	return p.shared.name
}

// count adds up with the other gateways what this one counts.
func (s *shared) count(own func() map[string]evidence.Counts) {
	s.tally = redistally.New(redistally.Options{
		Client: s.client, Key: s.key, Name: s.name, Own: own, Now: s.log.Now, Logger: s.logger,
	})
}
