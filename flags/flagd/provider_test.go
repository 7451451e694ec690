package flagd

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"

	"github.com/ficus-gateway/ficus/flags"
)

var poolsLeak bool

var (
	_ openfeature.FeatureProvider = (*Provider)(nil)
	_ openfeature.StateHandler    = (*Provider)(nil)
	_ openfeature.EventHandler    = (*Provider)(nil)
)

// One rule and one fractional operation, asked as the gateway does.
func TestEvaluationAllocatesNoMoreThanTheSDK(t *testing.T) {
	if poolsLeak {
		t.Skip("pools leak under the race detector")
	}
	d := parse(t, rollout)
	c, ctx, key := client(t, New(d)), context.Background(), openfeature.NewEvaluationContext("4711", nil)
	if got := c.String(ctx, "orders", "off", key); got != "shadow" {
		t.Fatalf("4711 is at %q", got)
	}
	if n := testing.AllocsPerRun(1000, func() { c.String(ctx, "orders", "off", key) }); n > 12 {
		t.Errorf("%v allocations through the client", n)
	}
	p, flat := New(d), openfeature.FlattenedContext{"targetingKey": "4711", "email": "someone@example.org"}
	if n := testing.AllocsPerRun(1000, func() { p.StringEvaluation(ctx, "by-mail", "off", flat) }); n > 0 {
		t.Errorf("%v allocations in the provider", n)
	}
}

func TestIntegersKeepTheirSixtyFourBits(t *testing.T) {
	c := client(t, New(parse(t, `{"flags": {
		"big":   {"state": "ENABLED", "variants": {"x": 9223372036854775807}, "defaultVariant": "x"},
		"half":  {"state": "ENABLED", "variants": {"x": 2.5}, "defaultVariant": "x"},
		"huge":  {"state": "ENABLED", "variants": {"x": 1e300}, "defaultVariant": "x"},
		"never": {"state": "ENABLED", "variants": {"x": 1e999}, "defaultVariant": "x"}
	}}`)))
	ctx, nobody := context.Background(), openfeature.EvaluationContext{}
	if n, err := c.IntValue(ctx, "big", 0, nobody); err != nil || n != 1<<63-1 {
		t.Errorf("big = %d, %v", n, err)
	}
	if n, err := c.IntValue(ctx, "half", 0, nobody); err != nil || n != 2 { // as flagd cuts it off
		t.Errorf("half = %d, %v", n, err)
	}
	if n, err := c.IntValue(ctx, "huge", 7, nobody); err == nil || n != 7 {
		t.Errorf("huge = %d, %v", n, err)
	}
	if f, err := c.FloatValue(ctx, "huge", 7, nobody); err != nil || f != 1e300 {
		t.Errorf("huge = %v, %v", f, err)
	}
	if f, err := c.FloatValue(ctx, "never", 7, nobody); err == nil || f != 7 {
		t.Errorf("never = %v, %v", f, err)
	}
}

func TestObjectIsTheCallersOwn(t *testing.T) {
	p := New(parse(t, `{"flags": {"o": {"state": "ENABLED", "variants": {"x": {"list": [{"n": 1}]}}, "defaultVariant": "x"}}}`))
	for range 2 {
		v := p.ObjectEvaluation(context.Background(), "o", nil, nil).Value.(map[string]any)
		inner := v["list"].([]any)[0].(map[string]any)
		if !reflect.DeepEqual(inner, map[string]any{"n": 1.0}) {
			t.Fatalf("somebody else's change: %v", inner)
		}
		inner["n"], v["more"] = 2, true
	}
}

func TestProviderWithoutADefinitionIsNotReady(t *testing.T) {
	p := newProvider()
	p.last.Store(&Report{Err: errors.New("no route to host")})
	d := p.StringEvaluation(context.Background(), "orders", "off", nil)
	if d.Value != "off" || d.Reason != openfeature.ErrorReason || !strings.HasPrefix(d.Error().Error(), string(openfeature.ProviderNotReadyCode)) {
		t.Errorf("%+v", d)
	}
	if _, ok := p.Split("orders"); ok || p.Definition() != nil {
		t.Error("there is a definition")
	}
	if err := isolated.NewAPI().SetProviderAndWait(context.Background(), p); err == nil || !strings.Contains(err.Error(), "no route to host") {
		t.Errorf("setting it: %v", err)
	}
}

// The gateway's own flags package takes it as it takes any provider.
func TestAssignerAsksIt(t *testing.T) {
	a, err := flags.New(flags.Options{Provider: New(parse(t, rollout))})
	if err != nil {
		t.Fatal(err)
	}
	d, err := a.Client().StringValueDetails(context.Background(), "orders", "off", openfeature.NewEvaluationContext("alice", nil))
	for errors.Is(err, openfeature.ProviderNotReadyError) { // set, but not waited for
		d, err = a.Client().StringValueDetails(context.Background(), "orders", "off", openfeature.NewEvaluationContext("alice", nil))
	}
	if err != nil || d.Value != "live" || d.Variant != "live" || d.Reason != openfeature.TargetingMatchReason {
		t.Errorf("%+v, %v", d, err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

func TestEventsThatNobodyReadLoseNoFlag(t *testing.T) {
	p := newProvider()
	p.tell(openfeature.ProviderConfigChange, openfeature.ProviderEventDetails{FlagChanges: []string{"first"}})
	for range cap(p.events) {
		p.tell(openfeature.ProviderStale, openfeature.ProviderEventDetails{})
	}
	p.tell(openfeature.ProviderConfigChange, openfeature.ProviderEventDetails{FlagChanges: []string{"last", "first"}})
	var last openfeature.Event
	for range cap(p.events) {
		last = <-p.EventChannel()
	}
	if want := []string{"first", "last"}; !reflect.DeepEqual(last.FlagChanges, want) || last.ProviderName != ProviderName {
		t.Errorf("the last event is %+v", last)
	}
}
