package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/ficus-gateway/ficus/routes"
)

// schemaURL is where editors find the schema.
const schemaURL = "https://raw.githubusercontent.com/ficus-gateway/ficus/main/docs/ficus.schema.json"

// variable is the pattern of a text that the environment fills in.
const variable = `\$\{`

// A short is a type that a lone text stands for, too.
var short = map[reflect.Type]bool{
	reflect.TypeFor[routes.ListenConfig]():     true,
	reflect.TypeFor[routes.AdminConfig]():      true,
	reflect.TypeFor[routes.StateConfig]():      true,
	reflect.TypeFor[routes.TelemetryConfig]():  true,
	reflect.TypeFor[routes.FlagsConfig]():      true,
	reflect.TypeFor[routes.OFREPConfig]():      true,
	reflect.TypeFor[routes.IncludeConfig]():    true,
	reflect.TypeFor[routes.UpstreamConfig]():   true,
	reflect.TypeFor[routes.EndpointConfig]():   true,
	reflect.TypeFor[routes.HealthConfig]():     true,
	reflect.TypeFor[routes.DataConfig]():       true,
	reflect.TypeFor[routes.MismatchesConfig](): true,
	reflect.TypeFor[routes.LatencyConfig]():    true,
	reflect.TypeFor[routes.PredicateConfig]():  true,
	reflect.TypeFor[routes.QueryConfig]():      true,
}

// scalars are the patterns of texts of their own form.
var scalars = map[reflect.Type]string{
	reflect.TypeFor[routes.Duration](): `^([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$|^0$`,
	reflect.TypeFor[routes.Percent]():  `^[0-9]+(\.[0-9]*)? *%$`,
	reflect.TypeFor[routes.Share]():    `^[0-9]+(\.[0-9]{0,3}0*)? *%$`,
	reflect.TypeFor[routes.Harm]():     `^[0-9]+$|^off$`,
	reflect.TypeFor[routes.Bytes]():    `^[0-9]+ *(B|kB|MB|GB|KiB|MiB|GiB)?$`,
}

// A builder makes the schema of each type once.
type builder struct {
	docs comments
	defs jsonschema.Definitions
}

// schemaOf returns the JSON Schema of the main file.
func schemaOf(docs comments) ([]byte, error) {
	b := &builder{docs: docs, defs: jsonschema.Definitions{}}
	root := b.object(reflect.TypeFor[routes.Config]())
	root.Version = jsonschema.Version
	root.ID = jsonschema.ID(schemaURL)
	root.Title = "Ficus config"
	root.PatternProperties = map[string]*jsonschema.Schema{"^x-": {Description: "Ignored; a place for YAML anchors."}}
	root.Required = []string{"upstreams"}
	root.Definitions = b.defs
	text, err := json.MarshalIndent(root, "", "  ")
	return append(text, '\n'), err
}

// of returns the schema of a value of type t.
func (b *builder) of(t reflect.Type) *jsonschema.Schema {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if pattern, ok := scalars[t]; ok {
		s := &jsonschema.Schema{Type: "string", Pattern: pattern + "|" + variable}
		if t == reflect.TypeFor[routes.Bytes]() || t == reflect.TypeFor[routes.Harm]() || t == reflect.TypeFor[routes.Duration]() {
			return anyOf(s, &jsonschema.Schema{Type: "integer", Minimum: "0"})
		}
		return s
	}
	switch t.Kind() {
	case reflect.String:
		return &jsonschema.Schema{Type: "string"}
	case reflect.Bool:
		return anyOf(&jsonschema.Schema{Type: "boolean"}, &jsonschema.Schema{Type: "string", Pattern: "^(true|false)$|" + variable})
	case reflect.Int:
		return anyOf(&jsonschema.Schema{Type: "integer", Minimum: "0"}, &jsonschema.Schema{Type: "string", Pattern: "^[0-9]+$|" + variable})
	case reflect.Slice:
		list := &jsonschema.Schema{Type: "array", Items: b.of(t.Elem())}
		if strings.HasPrefix(t.Name(), "OneOrMany[") {
			return anyOf(b.of(t.Elem()), list)
		}
		return list
	case reflect.Map:
		return &jsonschema.Schema{Type: "object", AdditionalProperties: b.of(t.Elem())}
	case reflect.Struct:
		if _, ok := b.defs[t.Name()]; !ok {
			b.defs[t.Name()] = nil // stands in while the type refers to itself
			b.defs[t.Name()] = b.definition(t)
		}
		return &jsonschema.Schema{Ref: "#/$defs/" + t.Name()}
	}
	panic(fmt.Sprintf("schemagen: definition types hold no %v", t))
}

// definition returns the schema of a struct with its short forms.
func (b *builder) definition(t reflect.Type) *jsonschema.Schema {
	long := b.object(t)
	if !short[t] {
		return long
	}
	s := anyOf(&jsonschema.Schema{Type: "string"}, long)
	if t == reflect.TypeFor[routes.UpstreamConfig]() {
		s.AnyOf = append(s.AnyOf, &jsonschema.Schema{Type: "array", Items: b.of(reflect.TypeFor[routes.EndpointConfig]())})
	}
	s.Description, long.Description = long.Description, ""
	return s
}

// object returns the schema of a struct in its long form.
func (b *builder) object(t reflect.Type) *jsonschema.Schema {
	s := &jsonschema.Schema{
		Type: "object", Description: b.docs.ofType(t.Name()),
		Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema,
	}
	for _, f := range reflect.VisibleFields(t) {
		key := f.Tag.Get("yaml")
		p := b.of(f.Type)
		if words := f.Tag.Get("enum"); words != "" {
			choice := &jsonschema.Schema{}
			for _, w := range strings.Split(words, ",") {
				choice.Enum = append(choice.Enum, w)
			}
			p = anyOf(choice, &jsonschema.Schema{Type: "string", Pattern: variable})
		}
		p.Description = b.docs.ofField(t.Name(), f.Name)
		if d, ok := f.Tag.Lookup("default"); ok {
			p.Default = defaultOf(f.Type, d)
		}
		s.Properties.Set(key, p)
	}
	return s
}

func defaultOf(t reflect.Type, text string) any {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Bool:
		return text == "true"
	case reflect.Int:
		if n, err := strconv.Atoi(text); err == nil {
			return n
		}
	}
	return text
}

func anyOf(choices ...*jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: choices}
}
