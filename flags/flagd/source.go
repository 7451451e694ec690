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

// A follower reads a source for a provider.
type follower struct {
	*Provider
	source source
	cache  cache
	o      Options
}

// start reads the source for the first time.
func (f *follower) start(ctx context.Context) error {
	r, d := f.read(ctx, "start")
	if r.Err == nil {
		f.adopt(&r, d)
		f.publish(r)
		return nil
	}
	if kept, err := f.cache.load(f.o.MaxBytes); err == nil {
		if old, err := Parse(f.cache.path, kept); err == nil {
			f.definition.Store(old)
			r.Changed, r.Hash, r.Warnings, r.Kept = old.Flags(), old.hash, old.warnings, true
			f.publish(r)
			return nil
		}
	}
	if _, remote := f.source.(*remote); !remote {
		return r.Err
	}
	f.publish(r)
	return nil
}

// look reads the source again, and lets a good definition answer.
func (f *follower) look(ctx context.Context, trigger string) {
	r, d := f.read(ctx, trigger)
	if ctx.Err() != nil {
		return // what failed, failed because of that
	}
	old, last := f.definition.Load(), f.Last()
	switch {
	case r.Err != nil:
	case d == nil || old != nil && d.hash == old.hash:
		r.OK = true
		if d != nil {
			f.source.kept()
		}
	default:
		f.adopt(&r, d)
	}
	if now := f.definition.Load(); now != nil {
		r.Hash, r.Warnings = now.hash, now.warnings
	}
	r.Kept = last.Kept && !r.OK
	r.Took = time.Since(r.Time)
	if r.OK != last.OK || len(r.Changed) > 0 || r.Hash != last.Hash || !r.OK && r.Err.Error() != last.Err.Error() {
		f.publish(r)
	}
}

// read reads and compiles the source. The definition is nil if it is that
// which answers.
func (f *follower) read(ctx context.Context, trigger string) (r Report, d *Definition) {
	r = Report{Time: time.Now(), Trigger: trigger}
	data, unchanged, err := f.source.read(ctx)
	if err == nil && !unchanged {
		d, err = Parse(f.source.name(), data)
		if err == nil {
			if e := f.cache.keep(d.hash, data); e != nil {
				d.warnings = append(d.warnings, *e)
			}
		}
	}
	r.Err, r.Took = err, time.Since(r.Time)
	return r, d
}

// adopt lets a definition answer.
func (f *follower) adopt(r *Report, d *Definition) {
	old := f.definition.Swap(d)
	f.source.kept()
	r.OK, r.Changed, r.Hash, r.Warnings = true, d.Changed(old), d.hash, d.warnings
}

// publish tells the events of a report, and hands it on.
func (f *follower) publish(r Report) {
	last := f.last.Swap(&r)
	details := openfeature.ProviderEventDetails{EventMetadata: map[string]any{"source": f.source.name()}}
	if r.Hash != "" {
		details.EventMetadata["hash"] = r.Hash
	}
	if last != nil { // the SDK itself tells how the start went
		switch {
		case !r.OK && last.OK:
			stale := details
			stale.Message = r.Err.Error()
			f.tell(openfeature.ProviderStale, stale)
		case r.OK && !last.OK:
			ready := details
			ready.Message = "the definitions can be read again"
			f.tell(openfeature.ProviderReady, ready)
		}
		if len(r.Changed) > 0 {
			details.Message, details.FlagChanges = "the definitions have changed", r.Changed
			f.tell(openfeature.ProviderConfigChange, details)
		}
	}
	f.o.Report(r)
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
