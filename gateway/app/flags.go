package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// A flagSource is who answers for the flags of migrations.
type flagSource interface {
	// name is how it is shown.
	name() string
	// provider is asked for every request; nil: the log decides.
	provider() openfeature.FeatureProvider
	// ruling returns what the source makes of a migration, which may be zero if
	// the log does not know it; false: nothing new is known.
	ruling(*migrations.Plan, migrations.Migration) (migrations.Ruling, bool)
	// state says how the source does, for people.
	state() (ok bool, detail string)
	// measure registers what the source is measured by.
	measure(*telemetry.Metrics)
	// watch looks after the source until ctx ends, and calls news when another
	// ruling may be due.
	watch(ctx context.Context, news func())
	// close ends what the source began before it was given to anybody.
	close()
}

// openFlags opens the source that the config names, or the provider that the
// program brings.
func (p *Process) openFlags(ctx context.Context, t *routes.Table) (source flagSource, err error) {
	f := t.Server.Flags
	switch {
	case p.config.Provider != nil && f.Source != routes.BuiltIn:
		return nil, errors.New("flags: this program brings a flag provider of its own, so the config cannot name another; leave flags out")
	case p.config.Provider != nil:
		return p.openProvider(f), nil
	case f.Source == routes.BuiltIn:
		return builtIn{}, nil
	case strings.HasPrefix(f.Source, "ofrep+"):
		return p.openOFREP(f), nil
	}
	return p.openDefinitions(ctx, t)
}

// assign makes what decides requests by the source.
func (p *Process) assign(t *routes.Table, secret []byte) (*flags.Assigner, error) {
	o := flags.Options{Secrets: [][]byte{secret}, Provider: p.flags.provider(), Source: p.flags.name()}
	for _, a := range t.Server.Flags.Attributes {
		o.Attributes = append(o.Attributes, flags.Attribute{Name: a.Name, From: a.From})
	}
	return flags.New(o)
}

// flagStatus says who answers for flags, and how that does.
func (p *Process) flagStatus() dashboard.FlagSource {
	ok, detail := p.flags.state()
	return dashboard.FlagSource{Source: p.flags.name(), OK: ok, Detail: detail}
}

// providerName is what traces call the provider of a source; empty: ours.
func providerName(s flagSource) string {
	if p := s.provider(); p != nil {
		return p.Metadata().Name
	}
	return ""
}

// builtIn is the source that is the log.
type builtIn struct{}

func (builtIn) name() string                          { return migrations.BuiltIn }
func (builtIn) provider() openfeature.FeatureProvider { return nil }

func (builtIn) ruling(*migrations.Plan, migrations.Migration) (migrations.Ruling, bool) {
	return migrations.Ruling{Source: migrations.BuiltIn, Why: "the log decides again"}, true
}

func (builtIn) state() (bool, string)         { return true, "built in" }
func (builtIn) measure(*telemetry.Metrics)    {}
func (builtIn) watch(context.Context, func()) {}
func (builtIn) close()                        {}

// measureSource registers what every outside source is measured by.
func measureSource(m *telemetry.Metrics, s flagSource) {
	m.Gauges("ficus_flags_source_up", "Whether the outside flag provider answers, or its definitions can be read.", []string{"source"}, func(emit func(float64, ...string)) {
		up := 0.0
		if ok, _ := s.state(); ok {
			up = 1
		}
		emit(up, s.name())
	})
}

// nobody says that a source leaves everybody where the side that is known to
// work is.
func nobody(r migrations.Ruling, m migrations.Migration, why string, args ...any) (migrations.Ruling, bool) {
	r.Split, r.Why = migrations.All(migrations.Off), fmt.Sprintf(why, args...)+", so everybody stays on the monolith"
	if m.Completed() {
		r.Split, r.Why = nil, fmt.Sprintf(why, args...)+", so it stays complete"
	}
	return r, true
}

// flagText says what an outside flag leaves to Ficus.
func flagText(f *dashboard.Flags) string {
	text := f.Source + " decides"
	if f.Version != "" {
		text += " (version " + f.Version + ")"
	}
	if f.Controls == dashboard.ControlsNone {
		return text + "; how many are where is not known, so the guard sees what is absolute only"
	}
	return text + "; the guard works, the ramp does not"
}
