package flagd

import (
	"context"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
)

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
