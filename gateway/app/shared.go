package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/redislog"
	"github.com/ficus-gateway/ficus/migrations/redistally"
	"github.com/ficus-gateway/ficus/routes"
)

// A shared is what a gateway has of an installation whose log is in Redis,
// beside the log itself. Its methods may be called from anywhere.
type shared struct {
	log      *redislog.Log
	logger   *slog.Logger
	path     string                        // of the checkpoint on this machine
	state    func() migrations.State       // as far as it was applied
	client   redis.UniversalClient         // for all that is no event
	key      func(thing string) string     // names their keys
	news     chan struct{}                 // holds one token while the checkpoint is old
	mended   atomic.Uint64                 // how often the log had lost events
	kept     atomic.Pointer[redislog.Kept] // what is on disk; nil: nothing
	tally    *redistally.Tally             // what all gateways have counted
	name     string                        // of this gateway among all that ever shared the log
	unmended seldom                        // of heal alone
	findings *sharedFindings               // what all have found
	signs    []byte                        // the secret; empty: the config has it. Set before the first request
}

// openRedis opens the log in Redis and returns the state to begin with: that
// of the log, or while it is out of reach the one that was kept on this
// machine. With neither there is nothing to serve by, so it waits.
func (p *Process) openRedis(ctx context.Context, s routes.Server) (migrations.State, error) {
	redis.SetLogger(silent{})
	options, err := redisOptions(s.Redis, p.log)
	if err != nil {
		return migrations.State{}, err
	}
	name, err := redislog.Name(s.State)
	if err != nil {
		return migrations.State{}, err
	}
	kept, err := redislog.ReadKept(s.Redis.Checkpoint)
	if err != nil {
		p.log.Warn("the state that was kept on this machine cannot be read; a new one will be written", "error", err)
	}
	var other *redislog.Kept
	if kept != nil && kept.Log != name {
		kept, other = nil, kept
	}
	if kept != nil {
		options.Seen = kept.Seen
	}
	own, err := loadName(s.Beside())
	if err != nil {
		return migrations.State{}, stateError(s.Redis.Checkpoint, err)
	}
	log, err := redislog.Open(ctx, s.State, options)
	if err != nil {
		return migrations.State{}, err
	}
	p.events = log
	p.shared = &shared{log: log, logger: p.log, path: s.Redis.Checkpoint, news: make(chan struct{}, 1), name: own}
	p.shared.kept.Store(kept)
	if p.shared.client, p.shared.key, err = redislog.Connect(s.State, options); err != nil {
		return migrations.State{}, err
	}
	state, err := p.shared.begin(ctx, kept)
	if err == nil && state.Seq == 0 && other != nil && other.State.Seq > 0 {
		return state, fmt.Errorf("state: %s is empty, and this gateway has kept the state of event %d of %s: move the log there first, with ficus log export and import, or remove %s to begin with every migration at off",
			name, other.State.Seq, other.Log, p.shared.path)
	}
	return state, err
}

// redisOptions are those of a config.
func redisOptions(r *routes.Redis, logger *slog.Logger) (redislog.Options, error) {
	o := redislog.Options{
		PasswordEnv: r.PasswordEnv, PasswordFile: r.PasswordFile,
		SentinelUser: r.SentinelUser, SentinelPasswordEnv: r.SentinelPasswordEnv, SentinelPasswordFile: r.SentinelPasswordFile,
		Logger: logger,
	}
	if r.CA == "" && r.Cert == "" {
		return o, nil
	}
	o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	if r.CA != "" {
		pem, err := os.ReadFile(r.CA)
		if err != nil {
			return o, fmt.Errorf("state: ca: %w", err)
		}
		o.TLS.RootCAs = x509.NewCertPool()
		if !o.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return o, fmt.Errorf("state: ca: %s holds no certificate in PEM form", r.CA)
		}
	}
	if r.Cert != "" {
		cert, err := tls.LoadX509KeyPair(r.Cert, r.Key)
		if err != nil {
			return o, fmt.Errorf("state: cert: %w", err)
		}
		o.TLS.Certificates = []tls.Certificate{cert}
	}
	return o, nil
}

// silent keeps the client library from writing to standard error by itself;
// what matters comes back as an error.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// begin returns the state to begin with.
func (s *shared) begin(ctx context.Context, kept *redislog.Kept) (migrations.State, error) {
	for wait := 500 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		try, cancel := context.WithTimeout(ctx, 10*time.Second)
		state, err := migrations.Latest(try, s.log)
		cancel()
		switch {
		case err == nil:
			return state, nil
		case ctx.Err() != nil:
			return state, ctx.Err()
		case kept != nil:
			s.logger.Error("the event log cannot be read; serving by the state that was kept on this machine", "seq", kept.State.Seq, "of", kept.State.Time, "error", err)
			return kept.State, nil
		case !passing(err):
			return state, err
		}
		s.logger.Error("waiting for the event log: it cannot be read, and nothing is kept on this machine to serve by", "error", err, "retry_in", wait)
		select {
		case <-ctx.Done():
			return state, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// passing reports whether time alone may end an error.
func passing(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || redislog.TroubleOf(err).Passes()
}

// heal goes on from the state of a log that had lost events, once it has been
// put right.
func (s *shared) heal(ctx context.Context, err error, seen migrations.State) (migrations.State, bool) {
	if !errors.Is(err, redislog.ErrLost) {
		return seen, false
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	next, err := s.log.Mend(ctx, seen, fmt.Sprintf("redis had lost events up to %d; this is what the gateways knew of them", seen.Seq))
	if err != nil {
		if s.unmended.should(err) {
			s.logger.Error("redis has lost events, and the log cannot be put right yet; serving by the last state", "error", err)
		}
		return seen, false
	}
	s.mended.Add(1)
	return next, true
}

// changed notes that the state is not the one on disk.
func (s *shared) changed() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// keep writes the state to disk whenever it has changed, until ctx ends.
func (s *shared) keep(ctx context.Context) {
	s.changed()
	for {
		select {
		case <-ctx.Done():
			s.write()
			return
		case <-s.news:
		}
		if s.write() {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Second):
			s.changed()
		}
	}
}

func (s *shared) write() bool {
	k := redislog.Kept{Log: s.log.String(), Seen: s.log.Seen(), State: s.state()}
	if before := s.kept.Load(); before != nil && before.State.Seq == k.State.Seq && before.Seen == k.Seen {
		return true
	}
	if err := k.Write(s.path); err != nil {
		s.logger.Warn("the state could not be kept on this machine; a restart while Redis is down would have nothing to serve by", "file", s.path, "error", err)
		return false
	}
	s.kept.Store(&k)
	return true
}

// close gives the connections up.
func (s *shared) close() {
	if s.client != nil {
		_ = s.client.Close()
	}
}
