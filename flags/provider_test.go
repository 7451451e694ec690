package flags

import (
	"slices"
	"testing"
	"time"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/ficus-gateway/ficus/migrations"
)

func stateOf(splits map[string]migrations.Split) migrations.State {
	s := migrations.State{Migrations: map[string]migrations.Migration{}}
	for id, split := range splits {
		s.Migrations[id] = migrations.Migration{ID: id, Split: split}
	}
	return s
}

func TestTheProviderAnswersFromWhatWasPublished(t *testing.T) {
	a := assigner(t, Options{})
	none := openfeature.EvaluationContext{}
	if d, _ := a.Client().StringValueDetails(t.Context(), "orders", "def", none); d.Value != "def" || d.ErrorCode != openfeature.ProviderNotReadyCode {
		t.Errorf("before anything was published: %+v", d)
	}
	split := ramp(t, "live=50%", "shadow=50%")
	a.Publish(stateOf(map[string]migrations.Split{"orders": split}), map[string]*migrations.Plan{
		"orders": {ID: "orders", Flag: "use-orders"}, "billing": {ID: "billing"},
	})
	for _, key := range []string{"4711", "4712", "4713", "4714"} {
		d, err := a.Client().StringValueDetails(t.Context(), "use-orders", "def", openfeature.NewEvaluationContext(key, nil))
		if want := split.At(bucket("use-orders", key)); err != nil || d.Value != string(want) || d.Variant != string(want) || d.Reason != openfeature.SplitReason {
			t.Errorf("key %s: %+v, %v, want %s", key, d, err, want)
		}
	}
	if d, _ := a.Client().StringValueDetails(t.Context(), "use-orders", "def", none); d.Value != "shadow" || d.Reason != openfeature.DefaultReason {
		t.Errorf("without a key: %+v", d)
	}
	if d, _ := a.Client().StringValueDetails(t.Context(), "billing", "def", none); d.Value != "off" || d.Reason != openfeature.DefaultReason {
		t.Errorf("unknown to the log: %+v", d)
	}
	if d, err := a.Client().StringValueDetails(t.Context(), "orders", "def", none); err == nil || d.Value != "def" || d.ErrorCode != openfeature.FlagNotFoundCode || d.Reason != openfeature.ErrorReason {
		t.Errorf("no such flag: %+v", d)
	}
}

func TestFlagsAreStrings(t *testing.T) {
	a := assigner(t, Options{})
	a.Publish(migrations.State{}, map[string]*migrations.Plan{"orders": {ID: "orders"}})
	none := openfeature.EvaluationContext{}
	for flag, want := range map[string]openfeature.ErrorCode{"orders": openfeature.TypeMismatchCode, "nothing": openfeature.FlagNotFoundCode} {
		b, _ := a.Client().BooleanValueDetails(t.Context(), flag, true, none)
		f, _ := a.Client().FloatValueDetails(t.Context(), flag, 1.5, none)
		i, _ := a.Client().IntValueDetails(t.Context(), flag, 7, none)
		o, _ := a.Client().ObjectValueDetails(t.Context(), flag, "def", none)
		for name, got := range map[string]openfeature.EvaluationDetails{"boolean": b.EvaluationDetails, "float": f.EvaluationDetails, "int": i.EvaluationDetails, "object": o.EvaluationDetails} {
			if got.ErrorCode != want || got.Reason != openfeature.ErrorReason {
				t.Errorf("%s as a %s: %+v, want %s", flag, name, got, want)
			}
		}
		if !b.Value || f.Value != 1.5 || i.Value != 7 || o.Value != "def" {
			t.Errorf("%s: the defaults are lost: %v %v %v %v", flag, b.Value, f.Value, i.Value, o.Value)
		}
	}
}

func TestPublishTellsWhichFlagsChanged(t *testing.T) {
	a := assigner(t, Options{})
	told := make(chan []string, 10)
	handler := func(d openfeature.EventDetails) { told <- d.FlagChanges }
	a.Client().AddHandler(openfeature.ProviderConfigChange, &handler)
	expect := func(what string, want ...string) {
		t.Helper()
		select {
		case got := <-told:
			if !slices.Equal(got, want) {
				t.Errorf("%s: told of %q, want %q", what, got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: nothing told", what)
		}
	}
	orders, billing := &migrations.Plan{ID: "orders"}, &migrations.Plan{ID: "billing", Flag: "pay"}
	both := map[string]*migrations.Plan{"orders": orders, "billing": billing}
	off, live := ramp(t, "off"), ramp(t, "live=5%")

	a.Publish(stateOf(map[string]migrations.Split{"orders": off, "billing": off}), both)
	expect("the first", "orders", "pay")
	a.Publish(stateOf(map[string]migrations.Split{"orders": off, "billing": live}), both)
	expect("a shift", "pay")
	same := stateOf(map[string]migrations.Split{"orders": off, "billing": live})
	same.Seq++
	a.Publish(same, map[string]*migrations.Plan{"orders": {ID: "orders"}, "billing": {ID: "billing", Flag: "pay"}})
	a.Publish(same, map[string]*migrations.Plan{"orders": {ID: "orders", Cohorts: []migrations.Cohort{{Name: "staff"}}}, "billing": billing})
	expect("nothing, then an edited plan", "orders")
	a.Publish(same, map[string]*migrations.Plan{"orders": {ID: "orders", Cohorts: []migrations.Cohort{{Name: "staff"}}}})
	expect("a plan gone", "pay")
}

func TestChangesThatNobodyReadsAreToldAsOne(t *testing.T) {
	p := NewProvider()
	plans := map[string]*migrations.Plan{"a": {ID: "a"}, "b": {ID: "b"}}
	p.Publish(stateOf(map[string]migrations.Split{"a": ramp(t, "off")}), plans)
	p.Publish(stateOf(map[string]migrations.Split{"a": ramp(t, "live")}), plans)
	p.Publish(stateOf(map[string]migrations.Split{"a": ramp(t, "off")}), plans)
	e := <-p.EventChannel()
	if e.EventType != openfeature.ProviderConfigChange || !slices.Equal(e.FlagChanges, []string{"a", "b"}) {
		t.Errorf("told %+v", e)
	}
	select {
	case e := <-p.EventChannel():
		t.Errorf("told again: %+v", e)
	default:
	}
}

func TestAFlagOfTwoPlansIsTheFirstById(t *testing.T) {
	a := assigner(t, Options{})
	a.Publish(stateOf(map[string]migrations.Split{"a": ramp(t, "live"), "b": ramp(t, "shadow")}),
		map[string]*migrations.Plan{"b": {ID: "b", Flag: "f"}, "a": {ID: "a", Flag: "f"}})
	if got := a.Client().String(t.Context(), "f", "", openfeature.NewEvaluationContext("k", nil)); got != "live" {
		t.Errorf("got %q", got)
	}
}
