package main

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/ficus-gateway/ficus/routes"
)

var update = flag.Bool("update", false, "write what comes out as what is wanted")

func read(t *testing.T) comments {
	t.Helper()
	docs, err := readComments("..")
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

// go generate ./routes writes both.
func TestSchemaAndReferenceAreUpToDate(t *testing.T) {
	docs := read(t)
	for path, content := range map[string]func() ([]byte, error){
		"../../docs/ficus.schema.json":      func() ([]byte, error) { return schemaOf(docs) },
		"../../docs/guide/configuration.md": func() ([]byte, error) { return referenceOf(docs, "..") },
	} {
		got, err := content()
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is out of date; run go generate ./routes (-committed +generated)\n%s", path, diff)
		}
	}
}

func TestEveryKeyIsDocumented(t *testing.T) {
	docs := read(t)
	seen := map[reflect.Type]bool{}
	var visit func(reflect.Type)
	visit = func(typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || seen[typ] {
			return
		}
		seen[typ] = true
		if docs.ofType(typ.Name()) == "" {
			t.Errorf("%s has no comment", typ.Name())
		}
		for _, f := range reflect.VisibleFields(typ) {
			if docs.ofField(typ.Name(), f.Name) == "" {
				t.Errorf("%s.%s has no comment", typ.Name(), f.Name)
			}
			visit(f.Type)
		}
	}
	visit(reflect.TypeFor[routes.Config]())
	if len(seen) < 20 {
		t.Errorf("only %d types", len(seen))
	}
}

// The schema agrees with the decoder: good files pass, and files whose shape
// is wrong do not.
func TestSchemaAgreesWithTheDecoder(t *testing.T) {
	text, err := schemaOf(read(t))
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	good, _ := filepath.Glob("../testdata/good/*.yaml")
	for _, file := range append(good, "../testdata/good/included/ficus.yaml") {
		if why := check(schema, schema, document(t, file), ""); why != "" {
			t.Errorf("%s: %s", file, why)
		}
	}
	for _, name := range []string{
		"unknown_top_key", "unknown_route_key", "unknown_timeout_key", "text_for_list", "text_for_mapping", "list_for_text",
		"duration_negative", "duration_words", "percent_without_sign", "share_too_fine", "bytes_words", "int_negative", "bool_yes",
		"log_level", "protocol_unknown", "writes_unknown", "cohort_stage", "guard_quantile", "route_header_number", "top_is_list", "many_at_once",
	} {
		if why := check(schema, schema, document(t, "../testdata/bad/"+name+".yaml"), ""); why == "" {
			t.Errorf("%s passes", name)
		}
	}
}

// document reads YAML as JSON has it.
func document(t *testing.T, file string) any {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	text, err = json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	v = nil
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
