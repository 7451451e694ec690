package app

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/flags/flagd"
	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// definitions are flags in flagd's format, in a file or behind a URL.
type definitions struct {
	label   string // as it may be shown
	flagd   *flagd.Provider
	wake    chan struct{} // holds one: there is a new report
	changes atomic.Uint64 // definitions that have answered since the start, the first included
	refused atomic.Uint64 // readings that were no definition, or failed
}

// openDefinitions reads the definitions, and follows them until the provider
// is shut down. The last good ones are kept beside the state.
func (p *Process) openDefinitions(ctx context.Context, t *routes.Table) (flagSource, error) {
	f := t.Server.Flags
	d := &definitions{label: f.Name(), wake: make(chan struct{}, 1)}
	header := http.Header{}
	for name, value := range f.Headers {
		header.Set(name, value)
	}
	if f.Token != "" {
		header.Set("Authorization", "Bearer "+f.Token)
	}
	var err error
	d.flagd, err = flagd.Open(context.WithoutCancel(ctx), f.Source, flagd.Options{
		Cache: filepath.Join(t.Server.Beside(), "ficus.flags.json"), Interval: f.Interval, Header: header,
		Report: func(r flagd.Report) { p.reportDefinitions(d, r) },
	})
	if err != nil {
		return nil, fmt.Errorf("flags: %w", err)
	}
	return d, nil
}

// reportDefinitions logs a reading that is news.
func (p *Process) reportDefinitions(d *definitions, r flagd.Report) {
	switch {
	case r.OK && len(r.Changed) > 0:
		d.changes.Add(1)
		p.log.Info("flag definitions read", "source", d.label, "trigger", r.Trigger, "hash", short(r.Hash), "changed", r.Changed, "took", r.Took)
		for _, w := range r.Warnings {
			p.log.Warn("flag definitions", "warning", w.Error())
		}
	case r.OK:
		p.log.Info("flag definitions can be read again", "source", d.label, "trigger", r.Trigger, "hash", short(r.Hash))
	default:
		d.refused.Add(1)
		p.log.Error("flag definitions not read, the last good ones decide", "source", d.label, "trigger", r.Trigger, "error", r.Err, "hash", short(r.Hash), "kept_from_before", r.Kept)
	}
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

func short(hash string) string { return hash[:min(len(hash), 12)] }

func (d *definitions) name() string { return d.label }

func (d *definitions) provider() openfeature.FeatureProvider { return d.flagd }

// ruling says what the definitions make of a migration. Those that an earlier
// process kept decide, but are no news.
func (d *definitions) ruling(p *migrations.Plan, m migrations.Migration) (migrations.Ruling, bool) {
	r := migrations.Ruling{Source: d.label}
	flag, definition := flags.Key(p), d.flagd.Definition()
	unruled := m.Outside == nil || m.Outside.Source != d.label
	switch {
	case definition == nil && unruled:
		return nobody(r, m, "%s has not been read yet", d.label)
	case definition == nil, d.flagd.Last().Kept && !unruled:
		return r, false
	}
	version, disabled, ok := definition.Version(flag)
	r.Version = version
	switch {
	case !ok:
		r.Version = "none"
		return nobody(r, m, "%s has no flag %q", d.label, flag)
	case disabled:
		return nobody(r, m, "%s: the flag %q is disabled", d.label, flag)
	}
	if r.Split, ok = definition.Split(flag); ok {
		r.Why = fmt.Sprintf("%s: %s", d.label, r.Split)
	} else {
		r.Why = fmt.Sprintf("%s: rules decide, so the shares are not known", d.label)
	}
	return r, true
}

func (d *definitions) state() (ok bool, detail string) {
	r := d.flagd.Last()
	switch {
	case r.OK:
		return true, fmt.Sprintf("%s, hash %s", d.label, short(r.Hash))
	case r.Hash == "":
		return false, fmt.Sprintf("%s has not been read yet: %s", d.label, firstLine(r.Err))
	case r.Kept:
		return false, fmt.Sprintf("%s could not be read at the start; what was kept before decides (hash %s): %s", d.label, short(r.Hash), firstLine(r.Err))
	}
	return false, fmt.Sprintf("%s: not read at %s, the last good definitions decide (hash %s): %s", d.label, r.Time.Format(time.RFC3339), short(r.Hash), firstLine(r.Err))
}

func firstLine(err error) string {
	if err == nil {
		return ""
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func (d *definitions) measure(m *telemetry.Metrics) {
	measureSource(m, d)
	m.Counter("ficus_flags_changes_total", "Flag definitions that have answered since the start.", func() float64 { return float64(d.changes.Load()) })
	m.Counter("ficus_flags_refused_total", "Readings of flag definitions that failed, or were none; the last good ones decide.", func() float64 { return float64(d.refused.Load()) })
}

func (d *definitions) watch(ctx context.Context, news func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.wake:
			news()
		}
	}
}

func (d *definitions) close() { d.flagd.Close() }

// checkFlags reads the definitions of a config, if they are in a file, and
// warns of what does not fit its migrations.
func checkFlags(t *routes.Table) (routes.Problems, error) {
	path, ok := strings.CutPrefix(t.Server.Flags.Source, "file:")
	if !ok {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, routes.Problems{{At: routes.Position{File: t.File}, Path: "flags", Text: err.Error(), Hint: "write the file, or name another"}}
	}
	d, err := flagd.Parse(path, text)
	if err != nil {
		return nil, err
	}
	warnings := d.Warnings()
	warn := func(hint, format string, args ...any) {
		warnings = append(warnings, routes.Problem{At: routes.Position{File: path}, Text: fmt.Sprintf(format, args...), Hint: hint})
	}
	for _, id := range sortedNames(t.Plans) {
		plan := t.Plans[id]
		flag := flags.Key(plan)
		_, disabled, ok := d.Version(flag)
		split, known := d.Split(flag)
		switch none := d.NoStage(flag); {
		case plan.Retired:
		case !ok:
			warn("define it, or name the migration's flag with flag:", "there is no flag %q, so everybody of the migration %s stays on the monolith", flag, id)
		case disabled:
			warn("enable it", "the flag %q is disabled, so everybody of the migration %s stays on the monolith", flag, id)
		case len(none) > 0:
			warn("give it one of off, dualwrite, shadow, live, rampdown and complete", "the flag %q has the variant %s, whose value is no stage: who gets it stays on the monolith", flag, none[0])
		case !known:
			warn("a fractional operation alone can be tested against; for rules the guard sees only what is absolute", "the flag %q has rules, so the shares of the migration %s are not known", flag, id)
		case split.Share(migrations.Live) > 0 && !split.Control():
			warn("leave some people on the monolith for the guard to compare with", "the flag %q gives %s", flag, split)
		}
	}
	return warnings, nil
}
