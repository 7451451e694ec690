package app

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/flags/outside"
	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// An opaque source is a flag provider of which only answers are known: a flag
// service, or what the program brings. How it shares people out is not known,
// unless it says that everybody gets the same.
type opaque struct {
	label string
	wrap  *outside.Provider
	every time.Duration   // between two looks at a flag
	plans func() []string // flags that are looked at
	wake  chan struct{}   // holds one: something has changed

	mu      sync.Mutex // guards what follows
	views   map[string]outside.View
	said    map[string]string // what the provider said of a flag's last change: a version, or when that was
	trouble string            // why the last look failed; empty: it did not
}

// lookEvery is the time between two looks at what a provider says of a flag,
// for the log.
const lookEvery = 30 * time.Second

// openOFREP asks a flag service.
func (p *Process) openOFREP(f routes.Flags) flagSource {
	const atOnce = 64
	service := outside.OFREP{URL: strings.TrimPrefix(f.Source, "ofrep+"), Token: f.Token, Headers: f.Headers}
	return p.openOpaque(f.Name(), service.Provider(atOnce), outside.Options{Timeout: f.Timeout, Fresh: f.Interval, AtOnce: atOnce})
}

// openProvider asks a provider that the program brings.
func (p *Process) openProvider(f routes.Flags) flagSource {
	name := p.config.Provider.Metadata().Name
	if name == "" {
		name = "provider"
	}
	return p.openOpaque(name, p.config.Provider, outside.Options{Timeout: f.Timeout})
}

func (p *Process) openOpaque(name string, inner openfeature.FeatureProvider, o outside.Options) *opaque {
	s := &opaque{label: name, every: lookEvery, wake: make(chan struct{}, 1), views: map[string]outside.View{}, said: map[string]string{}}
	s.plans = func() (keys []string) {
		for _, plan := range p.source.Table().Plans {
			keys = append(keys, flags.Key(plan))
		}
		return keys
	}
	o.Valid = func(_, value string) bool { return migrations.Stage(value).Valid() }
	o.Changed = s.changed
	o.Back = s.again
	s.wrap = outside.New(inner, o)
	return s
}

func (s *opaque) name() string                          { return s.label }
func (s *opaque) provider() openfeature.FeatureProvider { return s.wrap }
func (s *opaque) close()                                {}

// changed notes that the provider says that flags have changed. Without a
// version the time tells one change from the next: rounded, so that gateways
// that hear of it at about the same time say the same.
func (s *opaque) changed(flags []string, version string) {
	const about = 10 * time.Second
	if version == "" {
		version = "@" + strconv.FormatInt(time.Now().Truncate(about).Unix(), 36)
	}
	if flags == nil {
		flags = s.plans()
	}
	known := s.plans()
	s.mu.Lock()
	for _, flag := range flags {
		for _, k := range known {
			if k == flag {
				s.said[flag] = version
			}
		}
	}
	s.mu.Unlock()
	s.again()
}

// again has watch look at the flags now.
func (s *opaque) again() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// watch looks at every flag again and again, in nobody's name.
func (s *opaque) watch(ctx context.Context, news func()) {
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	for {
		s.look(ctx)
		news()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.wake:
		}
	}
}

func (s *opaque) look(ctx context.Context) {
	views := map[string]outside.View{}
	trouble := ""
	for _, flag := range s.plans() {
		v, err := s.wrap.Look(ctx, flag)
		if err != nil {
			trouble = fmt.Sprintf("flag %q: %v", flag, err)
			continue
		}
		views[flag] = v
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for flag, v := range views {
		s.views[flag] = v
	}
	s.trouble = trouble
}

// ruling says what is known of a migration's flag.
func (s *opaque) ruling(p *migrations.Plan, m migrations.Migration) (migrations.Ruling, bool) {
	flag := flags.Key(p)
	s.mu.Lock()
	v, seen := s.views[flag]
	said := s.said[flag]
	s.mu.Unlock()
	r := migrations.Ruling{Source: s.label, Why: s.label + " decides, and does not tell how many it sends where"}
	ours := m.Outside != nil && m.Outside.Source == s.label
	switch {
	case !seen:
		return r, !ours
	case v.Own:
		r.Version = v.Version
	case said != "":
		r.Version = v.Version + said
	case ours && strings.HasPrefix(m.Outside.Version, v.Version):
		r.Version = m.Outside.Version
	default:
		r.Version = v.Version
	}
	stage := migrations.Stage(v.Value)
	switch {
	case (v.Reason == openfeature.DisabledReason || v.Reason == openfeature.StaticReason) && stage.Valid():
		r.Split, r.Why = migrations.All(stage), fmt.Sprintf("%s: %s for everybody", s.label, stage)
	case v.Reason == openfeature.DisabledReason:
		return nobody(r, m, "%s: the flag %q is disabled", s.label, flag)
	}
	return r, true
}

func (s *opaque) state() (ok bool, detail string) {
	st := s.wrap.Status()
	s.mu.Lock()
	trouble := s.trouble
	s.mu.Unlock()
	switch {
	case st.Trouble != "":
		return false, fmt.Sprintf("%s could not begin: %s; what it answered last counts, or the monolith", s.label, st.Trouble)
	case !st.Ready:
		return false, s.label + " has not begun yet; the monolith answers"
	case st.LeftAlone:
		return false, s.label + " does not answer; what it answered last counts, or the monolith"
	case trouble != "":
		return false, fmt.Sprintf("%s: %s", s.label, trouble)
	}
	return true, s.label
}

func (s *opaque) measure(m *telemetry.Metrics) {
	measureSource(m, s)
	m.Counters("ficus_flags_evaluations_total", "Evaluations by an outside provider: answered in time, from memory while fresh, from memory since it did not answer, or not at all.", []string{"answer"}, func(emit func(float64, ...string)) {
		st := s.wrap.Status()
		emit(float64(st.Asked), "asked")
		emit(float64(st.Fresh), "fresh")
		emit(float64(st.Last), "last_known")
		emit(float64(st.Unanswered), "none")
	})
	m.Counters("ficus_flags_trouble_total", "What went wrong with an outside provider: too slow, too many waiting for it, it failed, or its answer was no stage.", []string{"kind"}, func(emit func(float64, ...string)) {
		st := s.wrap.Status()
		emit(float64(st.Slow), "slow")
		emit(float64(st.Crowded), "crowded")
		emit(float64(st.Failed), "failed")
		emit(float64(st.Unfit), "unfit")
	})
	m.Gauge("ficus_flags_remembered", "Answers of an outside provider that are remembered.", func() float64 { return float64(s.wrap.Status().Remembered) })
}
