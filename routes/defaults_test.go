package routes

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"
)

// written returns what the default tags of a definition type say, as YAML has it.
func written(t *testing.T, typ reflect.Type) map[string]any {
	t.Helper()
	out := map[string]any{}
	for _, f := range reflect.VisibleFields(typ) {
		key := f.Tag.Get("yaml")
		if text, ok := f.Tag.Lookup("default"); ok {
			var v any = text
			if k := f.Type.Kind(); k == reflect.Bool || k == reflect.Int || k == reflect.Pointer {
				if err := yaml.Unmarshal([]byte(text), &v); err != nil {
					t.Fatal(err)
				}
			}
			out[key] = v
		} else if f.Type.Kind() == reflect.Struct {
			out[key] = written(t, f.Type)
		}
	}
	delete(out, "data") // a mapping without a declaration
	return out
}

// The tags are what the reference and the schema tell people. A config that
// has all of them written out compiles to the same table as one that has none.
func TestDefaultsAreThoseOfTheTags(t *testing.T) {
	with := func(m map[string]any, more map[string]any) map[string]any {
		maps.Copy(m, more)
		return m
	}
	of := func(v any) map[string]any { return written(t, reflect.TypeOf(v)) }
	step, guard := map[string]any{"stage": "complete"}, of(GuardConfig{})
	guard["latency"] = of(LatencyConfig{})
	full := with(of(Config{}), map[string]any{
		"upstreams": map[string]any{
			"monolith": with(of(UpstreamConfig{}), map[string]any{
				"url":    []any{with(of(EndpointConfig{}), map[string]any{"url": "http://127.0.0.1:1"})},
				"health": with(of(HealthConfig{}), map[string]any{"path": "/up"}),
			}),
			"orders": "http://127.0.0.1:2",
		},
		"migrations": map[string]any{"orders": with(of(MigrationConfig{}), map[string]any{
			"from": "monolith", "to": "orders", "guard": guard, "ramp": []any{with(of(StepConfig{}), step)},
		})},
		"routes": []any{map[string]any{"path": "/*", "migration": "orders"}},
	})
	bare := map[string]any{
		"upstreams": map[string]any{"monolith": map[string]any{"url": "http://127.0.0.1:1", "health": "/up"}, "orders": "http://127.0.0.1:2"},
		"migrations": map[string]any{"orders": map[string]any{
			"from": "monolith", "to": "orders", "guard": map[string]any{"latency": map[string]any{}}, "ramp": []any{step},
		}},
		"routes": []any{map[string]any{"path": "/*", "migration": "orders"}},
	}
	load := func(v any) *Table {
		text, err := yaml.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "ficus.yaml")
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		table, err := Load(path)
		if err != nil {
			t.Fatalf("%s\n%v", text, err)
		}
		return table
	}
	diff := cmp.Diff(load(bare), load(full),
		cmpopts.IgnoreUnexported(Table{}), cmpopts.IgnoreFields(Table{}, "File", "Files", "Hash", "Warnings"), cmpopts.IgnoreFields(Route{}, "At"))
	if diff != "" {
		t.Errorf("(-none written +all written)\n%s", diff)
	}
}
