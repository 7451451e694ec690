package dashboard

import (
	"encoding/json"
	"fmt"
	"math"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
)

type object = map[string]any

var document = func() (doc object) {
	if err := json.Unmarshal(openAPI, &doc); err != nil {
		panic(err)
	}
	return doc
}()

// dig follows names into the document.
func dig(v any, names ...string) any {
	for _, name := range names {
		m, ok := v.(object)
		if !ok {
			return nil
		}
		v = m[name]
		if ref, ok := dig1(v, "$ref").(string); ok {
			v = dig(document, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
		}
	}
	return v
}

func dig1(v any, name string) any { m, _ := v.(object); return m[name] }

func TestOpenAPIListsExactlyTheRoutes(t *testing.T) {
	var served, described []string
	a, err := newAPI(start(t).deps)
	if err != nil {
		t.Fatal(err)
	}
	err = chi.Walk(a.router(), func(method, route string, h http.Handler, _ ...func(http.Handler) http.Handler) error {
		if !h.(endpoint).page { // pages are for people
			served = append(served, method+" "+route)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, operations := range dig(document, "paths").(object) {
		for method, operation := range operations.(object) {
			described = append(described, strings.ToUpper(method)+" "+path)
			parameters, _ := dig(operation, "parameters").([]any)
			var names []string
			for _, p := range parameters {
				if p := dig(object{"p": p}, "p"); dig(p, "in") == "path" {
					names = append(names, dig(p, "name").(string))
				}
			}
			var want []string
			for _, m := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(path, -1) {
				want = append(want, m[1])
			}
			if !slices.Equal(names, want) {
				t.Errorf("%s %s declares the path parameters %v", method, path, names)
			}
		}
	}
	sort.Strings(served)
	sort.Strings(described)
	if !slices.Equal(served, described) {
		t.Errorf("served:    %s\ndescribed: %s", strings.Join(served, ", "), strings.Join(described, ", "))
	}
}

// Every schema has the fields of its type, in Go and in the document, and
// requires those that are always there.
func TestOpenAPISchemasAreTheTypes(t *testing.T) {
	declared := dig(document, "components", "schemas").(object)
	seen := map[string]bool{"Stage": true, "Kind": true, "Role": true} // enums
	for _, v := range []any{
		State{}, Change{}, RollbackAll{}, History{}, Table{}, Reload{}, Explanation{}, Upstreams{}, Readiness{}, Health{}, Version{},
		Problem{}, ShiftRequest{}, RampRequest{}, FreezeRequest{}, ThawRequest{}, Freeze{}, Decision{}, RollbackRequest{}, ExplainRequest{},
		FindingsPage{}, Comparisons{}, TriageRequest{}, MuteRequest{}, AcceptRequest{}, WithdrawRequest{}, Withdrawn{}, EraseRequest{}, Erased{},
		Outcomes{}, OutcomesCounted{}, Audit{}, Tokens{}, TokenRequest{}, NewToken{},
	} {
		sameFields(t, declared, reflect.TypeOf(v), seen)
	}
	for name := range declared {
		if !seen[name] {
			t.Errorf("schema %s is not that of a type", name)
		}
	}
}

func sameFields(t *testing.T, declared object, typ reflect.Type, seen map[string]bool) {
	for typ.Kind() == reflect.Slice || typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || typ.PkgPath() != reflect.TypeFor[State]().PkgPath() || seen[typ.Name()] {
		return
	}
	seen[typ.Name()] = true
	schema, ok := declared[typ.Name()].(object)
	if !ok {
		t.Errorf("no schema %s", typ.Name())
		return
	}
	required, _ := schema["required"].([]any)
	properties := schema["properties"].(object)
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if properties[name] == nil {
			t.Errorf("schema %s lacks %s", typ.Name(), name)
		}
		if slices.Contains(required, any(name)) == (options == "omitempty") {
			t.Errorf("schema %s: is %s required?", typ.Name(), name)
		}
		sameFields(t, declared, f.Type, seen)
	}
	for name := range properties {
		if _, ok := fieldOf(typ, name); !ok {
			t.Errorf("schema %s has %s, the type has not", typ.Name(), name)
		}
	}
}

func fieldOf(typ reflect.Type, name string) (reflect.StructField, bool) {
	return typ.FieldByNameFunc(func(field string) bool {
		f, _ := typ.FieldByName(field)
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		return tag == name
	})
}

// described holds a real answer against the document.
func described(t *testing.T, method, path string, res *http.Response, body []byte) {
	t.Helper()
	operation := operationOf(method, path)
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if operation == nil && (kind == "text/html" || res.StatusCode == http.StatusSeeOther) { // a page
		return
	}
	if operation == nil { // a path or method that is not served has a problem for an answer
		operation = object{"responses": object{"default": object{"$ref": "#/components/responses/Problem"}}}
	}
	response := dig(operation, "responses", fmt.Sprint(res.StatusCode))
	if response == nil {
		response = dig(operation, "responses", "default")
	}
	media, ok := dig(response, "content", kind).(object)
	if !ok {
		if _, octets := dig(response, "content", "application/octet-stream").(object); !octets {
			t.Errorf("%s %s: %d with %q is not described", method, path, res.StatusCode, kind)
		}
		return
	}
	if !strings.HasSuffix(kind, "json") {
		return
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Errorf("%s %s: %v: %s", method, path, err, body)
		return
	}
	for _, fault := range validate(dig(media, "schema"), v, "$") {
		t.Errorf("%s %s: %d: %s", method, path, res.StatusCode, fault)
	}
}

func operationOf(method, path string) any {
	paths := dig(document, "paths").(object)
	if item, ok := paths[path]; ok {
		return dig(item, strings.ToLower(method))
	}
	for pattern, item := range paths {
		expr := "^" + regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(regexp.QuoteMeta(pattern), "[^/]+") + "$"
		if pattern != "/" && regexp.MustCompile(expr).MatchString(path) {
			return dig(item, strings.ToLower(method))
		}
	}
	return nil
}

// validate returns what is wrong with v by a schema, of the keywords that the
// document uses; one that it does not know is a fault too.
func validate(schema, v any, at string) (faults []string) {
	s, ok := dig(object{"s": schema}, "s").(object)
	if !ok {
		return []string{at + ": no schema"}
	}
	fault := func(format string, args ...any) { faults = append(faults, at+": "+fmt.Sprintf(format, args...)) }
	for keyword, arg := range s {
		switch keyword {
		case "description", "default", "properties", "minimum", "maximum": // below, or only words
		case "type":
			if !isType(arg.(string), v) {
				fault("%v is not of type %s", v, arg)
			}
		case "enum":
			if !slices.Contains(arg.([]any), v) {
				fault("%v is not one of %v", v, arg)
			}
		case "format":
			text, _ := v.(string)
			if _, err := time.Parse(time.RFC3339Nano, text); arg == "date-time" && err != nil {
				fault("%v", err)
			}
			if u, err := url.Parse(text); arg == "uri" && (err != nil || u.Scheme == "") {
				fault("%q is not a URI", text)
			}
		case "required":
			for _, name := range arg.([]any) {
				if _, ok := v.(object)[name.(string)]; !ok {
					fault("lacks %s", name)
				}
			}
		case "items":
			list, _ := v.([]any)
			for i, item := range list {
				faults = append(faults, validate(arg, item, fmt.Sprintf("%s[%d]", at, i))...)
			}
		case "additionalProperties":
			properties, _ := s["properties"].(object)
			values, _ := v.(object)
			for name, value := range values {
				if of, ok := properties[name]; ok {
					faults = append(faults, validate(of, value, at+"."+name)...)
				} else if arg == false {
					fault("%s is not declared", name)
				} else {
					faults = append(faults, validate(arg, value, at+"."+name)...)
				}
			}
		default:
			fault("this test does not know the keyword %s", keyword)
		}
	}
	if n, ok := v.(float64); ok {
		if least, ok := s["minimum"].(float64); ok && n < least {
			fault("%v is less than %v", n, least)
		}
		if most, ok := s["maximum"].(float64); ok && n > most {
			fault("%v is more than %v", n, most)
		}
	}
	return faults
}

func isType(name string, v any) bool {
	switch v := v.(type) {
	case string:
		return name == "string"
	case bool:
		return name == "boolean"
	case float64:
		return name == "number" || name == "integer" && v == math.Trunc(v)
	case []any:
		return name == "array"
	case object:
		return name == "object"
	}
	return false
}

func TestValidatorFindsFaults(t *testing.T) {
	schema := dig(document, "components", "schemas", "Share")
	for text, faults := range map[string]int{
		`{"stage": "live", "share": "5%", "buckets": 5000}`:               0,
		`{"stage": "liv", "share": "5%", "buckets": 5000}`:                1,
		`{"stage": "live", "share": 5, "buckets": -1}`:                    2,
		`{"stage": "live", "buckets": 100001, "more": 1}`:                 3,
		`{"stage": "live", "share": "5%", "buckets": 0.5, "since": null}`: 2,
	} {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if found := validate(schema, v, "$"); len(found) != faults {
			t.Errorf("%s: %q, want %d faults", text, found, faults)
		}
	}
}
