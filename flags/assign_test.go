package flags

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/memprovider"

	"github.com/ficus-gateway/ficus/migrations"
)

// input is a request of user 4711 at a split.
func input(t testing.TB, shares ...string) *Input {
	t.Helper()
	r := httptest.NewRequest("GET", "/api/orders/7", nil)
	r.Header.Set("Cookie", "uid=4711")
	return &Input{
		Plan:    &migrations.Plan{ID: "orders", Flag: "orders", Key: []migrations.KeySource{{Kind: "cookie", Name: "uid"}}},
		State:   &migrations.Migration{ID: "orders", Split: ramp(t, shares...)},
		Request: r,
		Safe:    true,
	}
}

func TestAssign(t *testing.T) {
	a := assigner(t, Options{})
	in := input(t, "live=50%", "shadow=50%")
	asg := a.Assign(t.Context(), in)
	want := in.State.Split.At(bucket("orders", "4711"))
	if asg.Stage != want || asg.Variant != string(want) || asg.Reason != "SPLIT" || asg.Err != "" {
		t.Errorf("assignment %+v, want stage %s by the split", asg, want)
	}
	if asg.Flag != "orders" || asg.Key != "4711" || asg.Source != in.Plan.Key[0] || asg.Verified || asg.Bucket != bucket("orders", "4711") {
		t.Errorf("assignment %+v of key 4711", asg)
	}
	if asg.KeyHash == 0 || asg.KeyHash != a.Assign(t.Context(), in).KeyHash {
		t.Error("the hash of a key is not stable")
	}
	if asg.KeyHash == assigner(t, Options{}).Assign(t.Context(), in).KeyHash {
		t.Error("the hash of a key does not depend on the secret")
	}
}

func TestAssignWithoutAKey(t *testing.T) {
	in := input(t, "live=50%")
	in.Request.Header.Del("Cookie")
	asg := assigner(t, Options{}).Assign(t.Context(), in)
	want := Assignment{Stage: "off", Variant: "off", Reason: "DEFAULT", Bucket: -1, Flag: "orders"}
	if asg != want {
		t.Errorf("%+v, want %+v", asg, want)
	}
}

func TestTheRoutesKeyListComesFirst(t *testing.T) {
	in := input(t, "live")
	in.Key = []migrations.KeySource{{Kind: "url"}}
	if asg := assigner(t, Options{}).Assign(t.Context(), in); asg.Key != "/api/orders/7" {
		t.Errorf("key %q", asg.Key)
	}
	in.Key = []migrations.KeySource{}
	if asg := assigner(t, Options{}).Assign(t.Context(), in); asg.Key != "" {
		t.Errorf("key %q of an empty list", asg.Key)
	}
}

// Law 11: a client's own word never chooses a cohort.
func TestOnlyATrustedProxyChoosesACohort(t *testing.T) {
	a := assigner(t, Options{})
	in := input(t, "off")
	yes := "1"
	in.Plan.Cohorts = []migrations.Cohort{
		{Name: "none", Stage: "complete"},
		{Name: "staff", Stage: "live", When: []migrations.Condition{{Header: "x-staff", Is: &yes}}},
	}
	in.Request.Header.Set("X-Staff", "1")
	if asg := a.Assign(t.Context(), in); asg.Stage != "off" || asg.Cohort != "" {
		t.Errorf("a client put itself into a cohort: %+v", asg)
	}
	in.Trusted = true
	if asg := a.Assign(t.Context(), in); asg.Stage != "live" || asg.Cohort != "staff" || asg.Reason != "TARGETING_MATCH" || !asg.Verified {
		t.Errorf("a trusted proxy's cohort: %+v", asg)
	}
	in.State.RolledBack = true
	if asg := a.Assign(t.Context(), in); asg.Stage != "off" || asg.Cohort != "" {
		t.Errorf("a cohort after a rollback: %+v", asg)
	}
}

var poolsLeak bool // set where sync.Pool can't be relied on

func TestAssignmentCosts(t *testing.T) {
	a := assigner(t, Options{})
	for _, source := range []migrations.KeySource{{Kind: "cookie", Name: "uid"}, {Kind: "header", Name: "X-User-Id"}, {Kind: "query", Name: "page"}, {Kind: "url"}, {Kind: "ip"}, {Kind: "anonymous"}} {
		if poolsLeak && source.Kind == migrations.KeyAnonymous {
			continue
		}
		ctx, in := benchInput(t, source)
		if c := a.Cookie(in, a.Assign(ctx, in)); c != nil {
			in.Request.Header.Set("Cookie", c.Name+"="+c.Value)
		}
		if asg := a.Assign(ctx, in); asg.Source != source {
			t.Fatalf("%s: no key", source)
		}
		if n := testing.AllocsPerRun(200, func() { a.Assign(ctx, in) }); n > 10 {
			t.Errorf("%s: %v allocations, at most 10 are allowed", source, n)
		}
	}
}

func TestAnAssignmentByTheSessionsKeyCostsNoMore(t *testing.T) {
	if poolsLeak {
		t.Skip("pools drop things under the race detector")
	}
	a := assigner(t, Options{})
	ctx, in := benchInput(t, migrations.KeySource{Kind: "cookie", Name: "uid"})
	in.Plan.Key = append(in.Plan.Key, migrations.KeySource{Kind: migrations.KeyAnonymous})
	c := a.SessionCookie(in, a.Assign(ctx, in))
	in.Request.Header.Add("Cookie", c.Name+"="+c.Value)
	if asg := a.Assign(ctx, in); !asg.session {
		t.Fatalf("the assignment is %+v, not by the session's key", asg)
	}
	if n := testing.AllocsPerRun(200, func() { a.Assign(ctx, in) }); n > 10 {
		t.Errorf("%v allocations, at most 10 are allowed", n)
	}
}

// A hook sees variant and reason, and may ask for the bucket.
type spy struct {
	openfeature.UnimplementedHook
	mu     sync.Mutex // guards what follows
	after  openfeature.InterfaceEvaluationDetails
	pinned Assignment
}

func (s *spy) After(ctx context.Context, _ openfeature.HookContext, d openfeature.InterfaceEvaluationDetails, _ openfeature.HookHints) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.after = d
	s.pinned, _ = Pinned(ctx)
	return nil
}

func TestHooksSeeTheEvaluation(t *testing.T) {
	hook := &spy{}
	a := assigner(t, Options{Hooks: []openfeature.Hook{hook}})
	asg := a.Assign(t.Context(), input(t, "live=50%", "shadow=50%"))
	if hook.after.Value != string(asg.Stage) || hook.after.Variant != asg.Variant || hook.after.Reason != "SPLIT" || hook.after.FlagKey != "orders" {
		t.Errorf("the hook saw %+v", hook.after)
	}
	if hook.pinned.Bucket != asg.Bucket || hook.pinned.KeyHash != asg.KeyHash {
		t.Errorf("the hook found %+v pinned", hook.pinned)
	}
	if _, ok := Pinned(t.Context()); ok {
		t.Error("something is pinned outside of an evaluation")
	}
}

// broken is a provider that does as its flag is told.
type broken struct {
	openfeature.NoopProvider
	answer func() openfeature.StringResolutionDetail
}

func (b *broken) StringEvaluation(context.Context, string, string, openfeature.FlattenedContext) openfeature.StringResolutionDetail {
	return b.answer()
}

// stubborn is a hook that fails.
type stubborn struct {
	openfeature.UnimplementedHook
	before func() error
}

func (s stubborn) Before(context.Context, openfeature.HookContext, openfeature.HookHints) (*openfeature.EvaluationContext, error) {
	return nil, s.before()
}

// Law 4: whatever goes wrong in an evaluation, the side that is known to work answers.
func TestAFailedEvaluationGoesToTheKnownSide(t *testing.T) {
	answer := func(d openfeature.StringResolutionDetail) openfeature.FeatureProvider {
		return &broken{answer: func() openfeature.StringResolutionDetail { return d }}
	}
	hook := func(before func() error) Options {
		return Options{Hooks: []openfeature.Hook{stubborn{before: before}}}
	}
	for name, c := range map[string]struct {
		options Options
		err     string
	}{
		"provider panics":       {Options{Provider: &broken{answer: func() openfeature.StringResolutionDetail { panic("oh") }}}, "GENERAL: the evaluation panicked: oh"},
		"provider fails":        {Options{Provider: answer(openfeature.StringResolutionDetail{Value: "live", ProviderResolutionDetail: failed(openfeature.NewParseErrorResolutionError("bad rule"))})}, "PARSE_ERROR: bad rule"},
		"nonsense":              {Options{Provider: answer(openfeature.StringResolutionDetail{Value: "full steam"})}, `PARSE_ERROR: the provider answered "full steam", which is not a stage`},
		"nothing":               {Options{Provider: answer(openfeature.StringResolutionDetail{})}, `PARSE_ERROR: the provider answered "", which is not a stage`},
		"provider is not ready": {Options{Provider: &slow{started: make(chan struct{})}}, "PROVIDER_NOT_READY"},
		"hook panics":           {hook(func() error { panic("oh") }), "GENERAL: the evaluation panicked: oh"},
		"hook fails":            {hook(func() error { return errors.New("no") }), "GENERAL: before hook: no"},
	} {
		t.Run(name, func(t *testing.T) {
			a := assigner(t, c.options)
			if p, ok := c.options.Provider.(*slow); ok {
				defer close(p.started)
			} else if c.options.Provider != nil {
				ready(t, a)
			}
			for shares, want := range map[string]migrations.Stage{"live": "off", "complete": "complete", "off": "off", "complete=99.999%": "off"} {
				asg := a.Assign(t.Context(), input(t, shares))
				if asg.Stage != want || asg.Reason != "ERROR" || asg.Variant != "" || !strings.HasPrefix(asg.Err, c.err) {
					t.Errorf("at %s: %+v, want %s and %q", shares, asg, want, c.err)
				}
			}
			in := input(t, "live")
			in.State = nil
			if asg := a.Assign(t.Context(), in); asg.Stage != "off" {
				t.Errorf("unknown to the log: %+v", asg)
			}
		})
	}
}

// slow is a provider that is not ready until it has started.
type slow struct {
	openfeature.NoopProvider
	started chan struct{}
}

func (s *slow) Init(openfeature.EvaluationContext) error { <-s.started; return nil }
func (s *slow) Shutdown()                                {}

// ready waits for an outside provider.
func ready(t testing.TB, a *Assigner) {
	t.Helper()
	done := make(chan struct{})
	once := sync.OnceFunc(func() { close(done) })
	f := func(openfeature.EventDetails) { once() }
	a.Client().AddHandler(openfeature.ProviderReady, &f)
	<-done
}

func TestAPanicLeavesTheAssignerUsable(t *testing.T) {
	fail := true
	a := assigner(t, Options{Hooks: []openfeature.Hook{stubborn{before: func() error {
		if fail {
			panic("oh")
		}
		return nil
	}}}})
	a.Assign(t.Context(), input(t, "live"))
	fail = false
	if asg := a.Assign(t.Context(), input(t, "live")); asg.Stage != "live" || asg.Err != "" {
		t.Errorf("after a panic: %+v", asg)
	}
	a.Client().AddHooks(&spy{}) // would wait for ever if the panic had left the client locked
}

func TestAnOutsideProviderDecides(t *testing.T) {
	var seen string
	evaluator := func(_ memprovider.InMemoryFlag, eval openfeature.FlattenedContext) (any, openfeature.ProviderResolutionDetail) {
		seen, _ = eval[openfeature.TargetingKey].(string)
		return "live", openfeature.ProviderResolutionDetail{Variant: "late", Reason: openfeature.TargetingMatchReason}
	}
	flag := memprovider.InMemoryFlag{
		Key: "orders", State: memprovider.Enabled, DefaultVariant: "early",
		Variants:         map[string]any{"early": "off", "late": "live"},
		ContextEvaluator: &evaluator,
	}
	provider := memprovider.NewInMemoryProvider(map[string]memprovider.InMemoryFlag{"orders": flag})
	a := assigner(t, Options{Provider: provider})
	ready(t, a)
	asg := a.Assign(t.Context(), input(t, "off"))
	if asg.Stage != "live" || asg.Variant != "late" || asg.Reason != "TARGETING_MATCH" || asg.Cohort != "" || seen != "4711" {
		t.Errorf("%+v, asked for %q", asg, seen)
	}
	in := input(t, "off")
	in.State.RolledBack = true
	if asg := a.Assign(t.Context(), in); asg.Stage != "off" {
		t.Errorf("after a rollback: %+v", asg)
	}
	in = input(t, "off")
	in.Plan.Flag = "billing"
	if asg := a.Assign(t.Context(), in); asg.Stage != "off" || !strings.HasPrefix(asg.Err, "FLAG_NOT_FOUND") {
		t.Errorf("an unknown flag: %+v", asg)
	}
}

func TestSeveralAssignersShareAProcess(t *testing.T) {
	one, two := assigner(t, Options{}), assigner(t, Options{})
	plans := map[string]*migrations.Plan{"orders": {ID: "orders"}}
	one.Publish(migrations.State{Migrations: map[string]migrations.Migration{"orders": {Split: ramp(t, "shadow")}}}, plans)
	two.Publish(migrations.State{Migrations: map[string]migrations.Migration{"orders": {Split: ramp(t, "live")}}}, plans)
	eval := openfeature.NewEvaluationContext("4711", nil)
	if got := one.Client().String(t.Context(), "orders", "", eval); got != "shadow" {
		t.Errorf("the first says %q", got)
	}
	if got := two.Client().String(t.Context(), "orders", "", eval); got != "live" {
		t.Errorf("the second says %q", got)
	}
	if got := openfeature.NewClient("").String(t.Context(), "orders", "none", eval); got != "none" {
		t.Errorf("the application's own client says %q", got)
	}
}

// Law 3: whatever is published meanwhile, a request goes by its own snapshot.
func TestARequestGoesByItsOwnSnapshot(t *testing.T) {
	a := assigner(t, Options{})
	plans := map[string]*migrations.Plan{"orders": {ID: "orders", Flag: "orders"}}
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				stage := migrations.Stages[i%len(migrations.Stages)]
				a.Publish(migrations.State{Migrations: map[string]migrations.Migration{"orders": {Split: migrations.All(stage)}}}, plans)
			}
		}
	})
	var assigning sync.WaitGroup
	for _, stage := range migrations.Stages {
		assigning.Go(func() {
			in := input(t, string(stage))
			for range 300 {
				if asg := a.Assign(context.Background(), in); asg.Stage != stage {
					t.Errorf("%+v, but the request holds %s", asg, stage)
					return
				}
			}
		})
	}
	assigning.Wait()
	close(stop)
	wg.Wait()
}

func TestAShortSecretIsRefused(t *testing.T) {
	if _, err := New(Options{Secrets: [][]byte{[]byte("short")}}); err == nil || !strings.Contains(err.Error(), "at least 16") {
		t.Errorf("error %v", err)
	}
}
