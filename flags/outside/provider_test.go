package outside

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
)

// A fake is a provider that does what a test says.
type fake struct {
	openfeature.NoopProvider
	answer func(ctx context.Context, flag, key string) openfeature.StringResolutionDetail
	asked  atomic.Int64
	init   func() error
	events chan openfeature.Event
}

func (f *fake) StringEvaluation(ctx context.Context, flag string, _ string, told openfeature.FlattenedContext) openfeature.StringResolutionDetail {
	f.asked.Add(1)
	key, _ := told[openfeature.TargetingKey].(string)
	return f.answer(ctx, flag, key)
}

func (f *fake) Init(openfeature.EvaluationContext) error {
	if f.init == nil {
		return nil
	}
	return f.init()
}
func (f *fake) Shutdown()                              {}
func (f *fake) EventChannel() <-chan openfeature.Event { return f.events }

func value(v string) openfeature.StringResolutionDetail {
	return openfeature.StringResolutionDetail{Value: v, ProviderResolutionDetail: openfeature.ProviderResolutionDetail{Variant: v, Reason: openfeature.TargetingMatchReason}}
}

func failing(err openfeature.ResolutionError) openfeature.StringResolutionDetail {
	return openfeature.StringResolutionDetail{ProviderResolutionDetail: openfeature.ProviderResolutionDetail{ResolutionError: err, Reason: openfeature.ErrorReason}}
}

// begin initialises a provider as the SDK does.
func begin(t *testing.T, inner *fake, o Options) *Provider {
	t.Helper()
	p := New(inner, o)
	if err := p.Init(openfeature.EvaluationContext{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Shutdown)
	for !p.begun.Load() {
		time.Sleep(time.Millisecond)
	}
	return p
}

// eval asks for a key, and returns the value, or the code of the error.
func eval(p *Provider, key string) string {
	d := p.StringEvaluation(context.Background(), "orders", "default", openfeature.FlattenedContext{openfeature.TargetingKey: key})
	if d.Error() != nil {
		return string(d.ResolutionDetail().ErrorCode)
	}
	return d.Value
}

func TestWhatWasAnsweredLastCountsWhenTheProviderFails(t *testing.T) {
	for name, broken := range map[string]func() openfeature.StringResolutionDetail{
		"an error": func() openfeature.StringResolutionDetail { return failing(openfeature.NewGeneralResolutionError("oh")) },
		"no flag": func() openfeature.StringResolutionDetail {
			return failing(openfeature.NewFlagNotFoundResolutionError("oh"))
		},
		"a panic":     func() openfeature.StringResolutionDetail { panic("oh") },
		"nonsense":    func() openfeature.StringResolutionDetail { return value("full steam") },
		"never comes": nil,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fails := false
				inner := &fake{answer: func(ctx context.Context, _, _ string) openfeature.StringResolutionDetail {
					switch {
					case !fails:
						return value("live")
					case broken == nil:
						<-ctx.Done()
						return failing(openfeature.NewGeneralResolutionError(ctx.Err().Error()))
					}
					return broken()
				}}
				p := begin(t, inner, Options{Valid: func(_, v string) bool { return v == "live" || v == "off" }})
				if got := eval(p, "alice"); got != "live" {
					t.Fatal(got)
				}
				fails = true
				for range 30 {
					start := time.Now()
					if got := eval(p, "alice"); got != "live" {
						t.Fatalf("alice was %q before", got)
					}
					if got := eval(p, "bob"); got == "live" {
						t.Fatal("nobody has ever said where bob is")
					}
					if took := time.Since(start); took > 2*p.o.Timeout {
						t.Fatalf("waited for %s", took)
					}
					time.Sleep(3 * time.Second)
				}
				fails = false
				time.Sleep(lastRest + p.o.Patience)
				eval(p, "bob") // finds out that it is back
				time.Sleep(time.Second)
				if got := eval(p, "bob"); got != "live" {
					t.Errorf("after it is back: %q", got)
				}
			})
		})
	}
}

// However long a provider takes, requests don't, and no goroutines pile up.
func TestASlowProviderIsBounded(t *testing.T) {
	release := make(chan struct{})
	inner := &fake{answer: func(context.Context, string, string) openfeature.StringResolutionDetail {
		<-release
		return value("live")
	}}
	p := begin(t, inner, Options{Timeout: 5 * time.Millisecond, AtOnce: 8})
	before := runtime.NumGoroutine()
	var wait sync.WaitGroup
	start := time.Now()
	for i := range 500 {
		wait.Go(func() { eval(p, fmt.Sprint(i)) })
	}
	wait.Wait()
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("500 requests at once waited for %s", took)
	}
	for i := range 500 { // it is left alone by now
		eval(p, fmt.Sprint(i))
	}
	if n := runtime.NumGoroutine(); n > before+8 {
		t.Errorf("%d goroutines, before it were %d, and 8 may wait", n, before)
	}
	if s := p.Status(); s.Waiting != 8 || !s.LeftAlone || s.Unanswered != 1000 || inner.asked.Load() != 8 {
		t.Errorf("%+v, asked %d times", s, inner.asked.Load())
	}
	close(release)
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before || p.Status().Waiting > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left of %d", runtime.NumGoroutine(), before)
		}
	}
	if n := p.Status().Remembered; n != 8 {
		t.Errorf("%d late answers are remembered, want all 8", n)
	}
}

func TestAFailingProviderIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		inner := &fake{answer: func(context.Context, string, string) openfeature.StringResolutionDetail {
			if down {
				return failing(openfeature.NewGeneralResolutionError("connection refused"))
			}
			return value("live")
		}}
		p := begin(t, inner, Options{})
		for i := range 1000 {
			eval(p, fmt.Sprint(i))
		}
		if n := inner.asked.Load(); n != mostFailures {
			t.Errorf("asked %d times, want %d", n, mostFailures)
		}
		inner.asked.Store(0)
		for range 10 * 60 { // ten minutes
			eval(p, "alice")
			time.Sleep(time.Second)
		}
		if n := inner.asked.Load(); n < 15 || n > 30 {
			t.Errorf("asked %d times in ten minutes", n)
		}
		down = false
		time.Sleep(lastRest)
		eval(p, "alice")
		synctest.Wait()
		if got := eval(p, "alice"); got != "live" || p.Status().LeftAlone {
			t.Errorf("after it is back: %q, %+v", got, p.Status())
		}
	})
}

func TestAFreshAnswerIsNotAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stage := "off"
		inner := &fake{events: make(chan openfeature.Event), answer: func(context.Context, string, string) openfeature.StringResolutionDetail {
			time.Sleep(20 * time.Millisecond)
			return value(stage)
		}}
		p := begin(t, inner, Options{Fresh: 5 * time.Second})
		for range 100 {
			eval(p, "alice")
		}
		if n := inner.asked.Load(); n != 1 {
			t.Errorf("asked %d times", n)
		}
		stage = "live"
		time.Sleep(6 * time.Second)
		start := time.Now()
		if got := eval(p, "alice"); got != "off" || time.Since(start) > 0 {
			t.Errorf("%q after %s: a known answer counts while it is asked for again", got, time.Since(start))
		}
		time.Sleep(time.Second)
		if got := eval(p, "alice"); got != "live" || inner.asked.Load() != 2 {
			t.Errorf("%q, asked %d times", got, inner.asked.Load())
		}
		stage = "off"
		inner.events <- openfeature.Event{EventType: openfeature.ProviderConfigChange}
		synctest.Wait()
		eval(p, "alice")
		time.Sleep(time.Second)
		if got := eval(p, "alice"); got != "off" {
			t.Errorf("%q, and the provider has said that it changed", got)
		}
		time.Sleep(time.Second)
	})
}

// A slow answer to an earlier question never replaces a quick one to a later.
func TestAnswersThatOvertakeOneAnother(t *testing.T) {
	m := newMemory(100)
	q := m.question("orders", openfeature.FlattenedContext{openfeature.TargetingKey: "alice"})
	now := time.Now()
	m.keep(q, answer{value: "off", asked: now})
	m.keep(q, answer{value: "live", asked: now.Add(-time.Second)})
	if a, _ := m.recall(q); a.value != "off" {
		t.Errorf("%+v", a)
	}
}

func TestAMemoryIsBounded(t *testing.T) {
	m := newMemory(640)
	for i := range 10_000 {
		m.keep(m.question("orders", openfeature.FlattenedContext{openfeature.TargetingKey: fmt.Sprint(i)}), answer{value: "live"})
	}
	if n := m.len(); n > 640 || n < 600 {
		t.Errorf("%d answers", n)
	}
}

// A flood of keys that come once, as anybody may send, doesn't drive out those of
// people who come again.
func TestAFloodOfKeysLeavesPeopleInMemory(t *testing.T) {
	m := newMemory(6400)
	person := func(i int) question {
		return m.question("orders", openfeature.FlattenedContext{openfeature.TargetingKey: fmt.Sprint("person ", i)})
	}
	for i := range 1000 {
		m.keep(person(i), answer{value: "live"})
		m.recall(person(i))
	}
	for i := range 100_000 {
		m.keep(m.question("orders", openfeature.FlattenedContext{openfeature.TargetingKey: fmt.Sprint(i)}), answer{value: "live"})
	}
	left := 0
	for i := range 1000 {
		if _, ok := m.recall(person(i)); ok {
			left++
		}
	}
	if left < 950 || m.len() > 6400 {
		t.Errorf("%d of 1000 people are left, among %d answers", left, m.len())
	}
}

// No two things that are asked are taken for the same one.
func TestQuestionsDiffer(t *testing.T) {
	m := newMemory(1)
	seen := map[question]int{}
	for i, c := range []struct {
		flag string
		told openfeature.FlattenedContext
	}{
		{"a", nil}, {"b", nil}, {"", openfeature.FlattenedContext{"targetingKey": "a"}},
		{"a", openfeature.FlattenedContext{"targetingKey": "b"}}, {"ab", openfeature.FlattenedContext{"targetingKey": ""}},
		{"a", openfeature.FlattenedContext{"targetingKey": "b", "mail": "c"}}, {"a", openfeature.FlattenedContext{"targetingKey": "b", "mai": "lc"}},
		{"a", openfeature.FlattenedContext{"targetingKey": "b", "mail": 1}}, {"a", openfeature.FlattenedContext{"targetingKey": "b", "mail": "1"}},
		{"a", openfeature.FlattenedContext{"targetingKey": "b", "mail": true}}, {"a", openfeature.FlattenedContext{"mail": "b", "targetingKey": "c"}},
	} {
		q := m.question(c.flag, c.told)
		if other, taken := seen[q]; taken {
			t.Errorf("%d and %d are one", i, other)
		}
		seen[q] = i
	}
}

// What cannot begin, or takes its time, keeps nobody waiting.
func TestAProviderThatDoesNotBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := &fake{answer: func(context.Context, string, string) openfeature.StringResolutionDetail { return value("live") }}
		inner.init = func() error { time.Sleep(time.Hour); return errors.New("no licence") }
		p := New(inner, Options{})
		start := time.Now()
		if err := p.Init(openfeature.EvaluationContext{}); err != nil || time.Since(start) > 0 {
			t.Fatal(err, time.Since(start))
		}
		if got := eval(p, "alice"); got != "PROVIDER_NOT_READY" {
			t.Errorf("%q", got)
		}
		time.Sleep(2 * time.Hour)
		if s := p.Status(); s.Trouble != "no licence" || !s.Ready {
			t.Errorf("%+v", s)
		}
		p.Shutdown()
		synctest.Wait()
	})
}

// The SDK asks nobody in a fatal state; what is remembered counts even so.
func TestAFatalErrorLeavesWhatIsRemembered(t *testing.T) {
	inner := &fake{events: make(chan openfeature.Event), answer: func(context.Context, string, string) openfeature.StringResolutionDetail { return value("live") }}
	p := begin(t, inner, Options{})
	inner.events <- openfeature.Event{EventType: openfeature.ProviderError, ProviderEventDetails: openfeature.ProviderEventDetails{ErrorCode: openfeature.ProviderFatalCode, Message: "no licence"}}
	if e := <-p.EventChannel(); e.EventType != openfeature.ProviderStale || e.ErrorCode != "" || e.Message != "no licence" {
		t.Errorf("%+v", e)
	}
}

// A value that the provider leaves to the caller is the caller's, today's and
// not that of when it was asked.
func TestADefaultIsTheCallers(t *testing.T) {
	inner := &fake{answer: func(context.Context, string, string) openfeature.StringResolutionDetail {
		return openfeature.StringResolutionDetail{ProviderResolutionDetail: openfeature.ProviderResolutionDetail{Reason: openfeature.DisabledReason}}
	}}
	p := begin(t, inner, Options{Fresh: time.Hour})
	for _, def := range []string{"complete", "off"} {
		d := p.StringEvaluation(context.Background(), "orders", def, openfeature.FlattenedContext{})
		if d.Value != def {
			t.Errorf("%q, want %q", d.Value, def)
		}
	}
}
