package flagd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/open-feature/go-sdk/openfeature"
)

// Options say how a source is followed. The zero value is good.
type Options struct {
	// Cache is a file that keeps the last good definition for the next process,
	// in case it cannot read the source at its start. Empty: none is kept.
	Cache string

	// Interval is the time between two looks at a URL; 0: 30 s. Each is put off
	// by up to a tenth, so that gateways started together do not ask together.
	Interval time.Duration

	// Timeout bounds one request; 0: 10 s.
	Timeout time.Duration

	// MaxBytes bounds a definition; 0: 8 MiB.
	MaxBytes int64

	// Header is sent to a URL, such as Authorization.
	Header http.Header

	// Client sends the requests to a URL; nil: one with the default transport.
	Client *http.Client

	// Report is called after each reading that is news: when another definition
	// answers, when the source turns bad, gets bad in another way, or turns good.
	// It is called by one goroutine at a time, and must not call the provider's
	// Close or Shutdown. Nil: news is logged.
	Report func(Report)

	// Now is the clock of $flagd.timestamp; nil: [time.Now].
	Now func() time.Time

	// Set by tests; see routes.Source.
	quiet, longest, poll, fast time.Duration
	watch                      func() (*fsnotify.Watcher, error)
}

// A source is where definitions come from.
type source interface {
	// read returns the definition as written, unchanged if it is certainly that
	// which was kept last.
	read(ctx context.Context) (data []byte, unchanged bool, err error)
	// kept says that what was read last is good.
	kept()
	// follow calls look whenever there may be something new, until ctx ends.
	follow(ctx context.Context, look func(trigger string))
	// name is how problems call it.
	name() string
}

// Open reads a source, "file:PATH" or an http or https URL, and follows it until
// the context ends or the provider is closed.
//
// A source that cannot be read, or has what is no definition, changes nothing:
// the last good one goes on answering, and the error is reported. At the start
// that is the one in [Options.Cache], if there is one. If there is none, a
// file is an error, since somebody is there to correct it; behind a URL
// nobody is, so the provider is returned, answers PROVIDER_NOT_READY and is
// ready as soon as the URL is.
func Open(ctx context.Context, from string, o Options) (*Provider, error) {
	o = o.withDefaults()
	src, err := newSource(from, o)
	if err != nil {
		return nil, err
	}
	p := newProvider()
	p.clock = o.Now
	f := &follower{Provider: p, source: src, cache: cache{path: o.Cache}, o: o}
	if err := f.start(ctx); err != nil {
		return nil, err
	}
	ctx, p.stop = context.WithCancel(ctx)
	p.ended = make(chan struct{})
	go func() {
		defer close(p.ended)
		src.follow(ctx, func(trigger string) { f.look(ctx, trigger) })
	}()
	return p, nil
}

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		value *time.Duration
		or    time.Duration
	}{
		{&o.Interval, 30 * time.Second}, {&o.Timeout, 10 * time.Second},
		{&o.quiet, 100 * time.Millisecond}, {&o.longest, time.Second}, {&o.poll, 30 * time.Second}, {&o.fast, 2 * time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.or
		}
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 8 << 20
	}
	if o.Report == nil {
		o.Report = logReport
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.watch == nil {
		o.watch = fsnotify.NewWatcher
	}
	return o
}

// logReport is what becomes of reports that nobody asked for.
func logReport(r Report) {
	if !r.OK {
		slog.Error("flag definitions: the last good ones stay", "error", r.Err, "hash", r.Hash)
		return
	}
	slog.Info("flag definitions", "changed", r.Changed, "hash", r.Hash, "warnings", len(r.Warnings))
}

// newSource returns the source that a text names.
func newSource(from string, o Options) (source, error) {
	if path, ok := strings.CutPrefix(from, "file:"); ok {
		path = strings.TrimPrefix(path, "//")
		if path == "" {
			return nil, errors.New("flags: file: has no path; write file:flags.json")
		}
		return &file{path: path, o: o}, nil
	}
	u, err := url.Parse(from)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("flags: %.100q is no source of flagd definitions; write file:flags.json or https://host/flags.json", from)
	}
	return newRemote(u, o), nil
}

// Last returns the report of the last reading that was news. A failure stays
// the last one until a reading succeeds.
func (p *Provider) Last() Report { return *p.last.Load() }

// Close ends the following of the source, and waits for its end. The last good
// definition goes on answering. It may be called more than once.
func (p *Provider) Close() {
	if p.stop != nil {
		p.stop()
		<-p.ended
	}
}

// Init tells OpenFeature whether there is a definition.
func (p *Provider) Init(openfeature.EvaluationContext) error {
	if p.definition.Load() == nil {
		return fmt.Errorf("flag definitions: %w", p.Last().Err)
	}
	return nil
}

// Shutdown is [Provider.Close].
func (p *Provider) Shutdown() { p.Close() }
