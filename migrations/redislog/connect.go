package redislog

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// A door is how to get to Redis: the address with all that options add to it.
type door struct {
	address
	user             string
	password         secret
	sentinelUser     string
	sentinelPassword secret
	tls              *tls.Config // nil: no TLS
	timeout          time.Duration
}

func newDoor(url string, o Options) (*door, error) {
	a, err := parse(url)
	if err != nil {
		return nil, err
	}
	d := &door{
		address: a, user: a.user, timeout: o.Timeout,
		password:     secret{o.PasswordEnv, o.PasswordFile},
		sentinelUser: o.SentinelUser, sentinelPassword: secret{o.SentinelPasswordEnv, o.SentinelPasswordFile},
	}
	if d.timeout <= 0 {
		d.timeout = 500 * time.Millisecond
	}
	if a.tls {
		d.tls = &tls.Config{MinVersion: tls.VersionTLS12}
		if o.TLS != nil {
			d.tls = o.TLS.Clone()
		}
	}
	// What cannot be read now would fail later, and less clearly.
	for _, s := range []secret{d.password, d.sentinelPassword} {
		if _, err := s.read(); err != nil {
			return nil, err
		}
	}
	if password, _ := d.password.read(); d.user != "" && password == "" {
		return nil, errors.New("the URL of the state names a user, so the password must be given too; otherwise Redis would take us for its default user")
	}
	return d, nil
}

// Name returns the URL of a log as [Log.String] writes it, or what is wrong
// with the URL.
func Name(url string) (string, error) {
	a, err := parse(url)
	return a.String(), err
}

// Connect returns a client for other things that an installation shares, and
// the function that names their keys, all in the slot of the log.
func Connect(url string, o Options) (client redis.UniversalClient, key func(thing string) string, err error) {
	d, err := newDoor(url, o)
	if err != nil {
		return nil, nil, err
	}
	client, err = d.newClient(d.dial, d.timeout)
	return client, d.key, err
}

type dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// dial opens a connection without TLS.
func (d *door) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if d.form == socket {
		network = "unix"
	}
	plain := net.Dialer{Timeout: d.timeout}
	return plain.DialContext(ctx, network, addr)
}

// secured adds TLS to what dial opens. A client with a dialer of its own
// leaves that to it.
func (d *door) secured(dial dialer) dialer {
	if d.tls == nil {
		return dial
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		plain, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		config := d.tls
		if config.ServerName == "" {
			config = config.Clone()
			config.ServerName, _, _ = net.SplitHostPort(addr)
		}
		ctx, cancel := context.WithTimeout(ctx, d.timeout)
		defer cancel()
		secure := tls.Client(plain, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			plain.Close()
			return nil, err
		}
		return secure, nil
	}
}

// newClient returns a client that waits for answers as long as patience. It
// repeats nothing by itself, apart from what a cluster redirects.
func (d *door) newClient(dial dialer, patience time.Duration) (redis.UniversalClient, error) {
	sentinelPassword, err := d.sentinelPassword.read()
	if err != nil {
		return nil, err
	}
	return redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs:         d.hosts,
		MasterName:    d.master,
		IsClusterMode: d.form == cluster,
		DB:            d.db,
		ClientName:    "ficus",
		Dialer:        d.secured(dial),
		CredentialsProviderContext: func(context.Context) (string, string, error) {
			password, err := d.password.read()
			return d.user, password, err
		},
		SentinelUsername:         d.sentinelUser,
		SentinelPassword:         sentinelPassword,
		Protocol:                 2,
		MaxRetries:               -1,
		DialerRetries:            1,
		DialTimeout:              d.timeout,
		ReadTimeout:              patience,
		WriteTimeout:             d.timeout,
		PoolTimeout:              d.timeout,
		ContextTimeoutEnabled:    true,
		PipelinePoolSize:         -1,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}), nil
}

// A wire is a client of its own for commands that block. Ending a context does
// not interrupt a read that waits; closing the connection below it does.
type wire struct {
	redis.UniversalClient

	mu    sync.Mutex // guards the following
	conns []net.Conn
	isCut bool
}

func (d *door) newWire(patience time.Duration) (w *wire, err error) {
	w = new(wire)
	w.UniversalClient, err = d.newClient(func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := d.dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.isCut {
			conn.Close()
			return nil, net.ErrClosed
		}
		w.conns = append(w.conns, conn)
		return conn, nil
	}, patience)
	return w, err
}

// cut ends whatever waits on the wire, at once and for good.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.isCut = true
	for _, conn := range w.conns {
		conn.Close()
	}
	w.conns = nil
}

// Close cuts the wire and frees what belongs to it.
func (w *wire) Close() error {
	w.cut()
	return w.UniversalClient.Close()
}
