package ofrep

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/open-feature/go-sdk/openfeature"
)

// fixed are flags with a few answers, and what was asked last.
func fixed(last *Subject) Flags {
	answers := map[string]Answer{
		"orders": {Value: "live", Variant: "live", Reason: "SPLIT", Metadata: map[string]any{"side": "modern"}},
		"a/b c":  {Value: true, Reason: "STATIC"},
		"broken": {Code: openfeature.ParseErrorCode, Details: "the rule cannot work"},
		"yours":  {Reason: "DISABLED"},
	}
	return Flags{
		Evaluate: func(_ context.Context, flag string, about Subject) (Answer, bool) {
			if last != nil {
				*last = about
			}
			a, ok := answers[flag]
			return a, ok
		},
		List: func() []string { return []string{"a/b c", "broken", "orders", "yours"} },
	}
}

// ask sends one request with a JSON body.
func ask(h http.Handler, method, path, body string, edit ...func(*http.Request)) *http.Response {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for _, e := range edit {
		e(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

func TestAnswersAreThoseOfTheProtocol(t *testing.T) {
	h := Handler(fixed(nil), true)
	form := func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }
	for name, c := range map[string]struct {
		method, path, body string
		edit               func(*http.Request)
		status             int
		want               string
	}{
		"a flag":          {"POST", "/orders", `{"context": {"targetingKey": "42"}}`, nil, 200, `{"key":"orders","value":"live","variant":"live","reason":"SPLIT","metadata":{"side":"modern"}}`},
		"an escaped key":  {"POST", "/a%2Fb%20c", `{"context": {}}`, nil, 200, `{"key":"a/b c","value":true,"reason":"STATIC"}`},
		"a default":       {"POST", "/yours", `{"context": {}}`, nil, 200, `{"key":"yours","reason":"DISABLED"}`},
		"no context":      {"POST", "/orders", `{}`, nil, 200, `{"key":"orders","value":"live","variant":"live","reason":"SPLIT","metadata":{"side":"modern"}}`},
		"more members":    {"POST", "/orders", `{"context": null, "x": 1}`, nil, 200, `{"key":"orders","value":"live","variant":"live","reason":"SPLIT","metadata":{"side":"modern"}}`},
		"no such flag":    {"POST", "/none", `{"context": {}}`, nil, 404, `{"key":"none","errorCode":"FLAG_NOT_FOUND","errorDetails":"there is no flag of this key"}`},
		"a broken flag":   {"POST", "/broken", `{"context": {}}`, nil, 400, `{"key":"broken","errorCode":"PARSE_ERROR","errorDetails":"the rule cannot work"}`},
		"not JSON":        {"POST", "/orders", `{`, nil, 400, `{"key":"orders","errorCode":"PARSE_ERROR","errorDetails":"the body is not {\"context\": {...}}: unexpected end of JSON input"}`},
		"a form":          {"POST", "/orders", `{"context": {}}`, form, 400, `{"key":"orders","errorCode":"PARSE_ERROR","errorDetails":"send the body with Content-Type: application/json"}`},
		"a list":          {"POST", "/orders", `{"context": []}`, nil, 400, `{"key":"orders","errorCode":"INVALID_CONTEXT","errorDetails":"context must be an object"}`},
		"a number as key": {"POST", "/orders", `{"context": {"targetingKey": 42}}`, nil, 400, `{"key":"orders","errorCode":"INVALID_CONTEXT","errorDetails":"targetingKey must be a string"}`},
		"too much":        {"POST", "/orders", `{"context": {"x": "` + strings.Repeat("x", maxBody) + `"}}`, nil, 400, `{"key":"orders","errorCode":"PARSE_ERROR","errorDetails":"the body has more than 65536 bytes"}`},
		"markup":          {"POST", "/%3Cscript%3E", `{}`, nil, 404, `{"key":"\u003cscript\u003e","errorCode":"FLAG_NOT_FOUND","errorDetails":"there is no flag of this key"}`},
		"by GET":          {"GET", "/orders", "", nil, 405, `{"key":"orders","errorCode":"GENERAL","errorDetails":"flags are evaluated by POST"}`},
		"all, not JSON":   {"POST", "", `[`, nil, 400, `{"errorCode":"PARSE_ERROR","errorDetails":"the body is not {\"context\": {...}}: unexpected end of JSON input"}`},
		"all":             {"POST", "", `{"context": {}}`, nil, 200, `{"flags":[{"key":"a/b c","value":true,"reason":"STATIC"},{"key":"broken","errorCode":"PARSE_ERROR","errorDetails":"the rule cannot work"},{"key":"orders","value":"live","variant":"live","reason":"SPLIT","metadata":{"side":"modern"}},{"key":"yours","reason":"DISABLED"}]}`},
		"below a flag":    {"POST", "/orders/x", `{}`, nil, 404, `{"key":"orders/x","errorCode":"GENERAL","errorDetails":"nothing is served here; ask /ofrep/v1/evaluate/flags"}`},
	} {
		edit := c.edit
		if edit == nil {
			edit = func(*http.Request) {}
		}
		res := ask(h, c.method, Prefix+c.path, c.body, edit)
		if got := text(t, res); res.StatusCode != c.status || got != c.want || res.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s\nwant %d %s", name, res.StatusCode, got, c.status, c.want)
		}
	}
}

func TestAllFlagsHaveAnETag(t *testing.T) {
	h := Handler(fixed(nil), true)
	etag := ask(h, "POST", Prefix, `{}`).Header.Get("ETag")
	if etag == "" {
		t.Fatal("no ETag")
	}
	for given, status := range map[string]int{etag: 304, "W/" + etag: 304, `"x", ` + etag: 304, "*": 304, `"x"`: 200, "": 200} {
		res := ask(h, "POST", Prefix, `{}`, func(r *http.Request) { r.Header.Set("If-None-Match", given) })
		if got := text(t, res); res.StatusCode != status || res.Header.Get("ETag") != etag || (got == "") != (status == 304) {
			t.Errorf("If-None-Match %s: %d %q %s", given, res.StatusCode, res.Header.Get("ETag"), got)
		}
	}
}

// What a context tells of a request is what conditions look at.
func TestAContextTellsOfARequest(t *testing.T) {
	var s Subject
	body := `{"context": {"targetingKey": "42", "plan": {"tier": 1}, "header": {"x-staff": "1", "n": 2}, "cookie": {"team": "red", "bad": "a;b", "a b": "c"}, "query": {"beta": "a&b"}}}`
	res := ask(Handler(fixed(&s), true), "POST", Prefix+"/orders", body)
	if res.StatusCode != 200 || s.Key != "42" || s.Attributes["targetingKey"] != nil || s.Request.Header.Get("X-Staff") != "1" ||
		s.Request.Header.Get("Cookie") != "team=red" || s.Request.URL.Query().Get("beta") != "a&b" || !s.Trusted {
		t.Errorf("%d %+v %+v", res.StatusCode, s, s.Request)
	}
	ask(Handler(fixed(&s), false), "POST", Prefix+"/orders", body)
	if s.Trusted {
		t.Error("nobody vouches for them, and they are trusted")
	}
}

func TestTheDoor(t *testing.T) {
	d := Door{Token: "0123456789abcdef", Origins: []string{"https://shop.example.com"}}
	h := d.Before(Handler(fixed(nil), true))
	set := func(pairs ...string) func(*http.Request) {
		return func(r *http.Request) {
			for i := 0; i < len(pairs); i += 2 {
				r.Header.Set(pairs[i], pairs[i+1])
			}
		}
	}
	for name, c := range map[string]struct {
		method string
		edit   func(*http.Request)
		status int
		origin string
	}{
		"no token":          {"POST", set(), 401, ""},
		"a wrong one":       {"POST", set("Authorization", "Bearer 0123456789abcdeX"), 401, ""},
		"a bearer":          {"POST", set("Authorization", "bearer 0123456789abcdef"), 200, ""},
		"an API key":        {"POST", set("X-API-Key", "0123456789abcdef"), 200, ""},
		"a page of ours":    {"POST", set("X-API-Key", "0123456789abcdef", "Origin", "https://shop.example.com"), 200, "https://shop.example.com"},
		"it shows no token": {"POST", set("Origin", "https://shop.example.com"), 401, "https://shop.example.com"},
		"another page":      {"POST", set("X-API-Key", "0123456789abcdef", "Origin", "https://evil.example"), 403, ""},
		"it asks before":    {"OPTIONS", set("Origin", "https://shop.example.com", "Access-Control-Request-Method", "POST"), 204, "https://shop.example.com"},
		"so does another":   {"OPTIONS", set("Origin", "https://evil.example", "Access-Control-Request-Method", "POST"), 403, ""},
	} {
		res := ask(h, c.method, Prefix+"/orders", `{}`, c.edit)
		if res.StatusCode != c.status || res.Header.Get("Access-Control-Allow-Origin") != c.origin {
			t.Errorf("%s: %d, origin %q", name, res.StatusCode, res.Header.Get("Access-Control-Allow-Origin"))
		}
		if c.status == 204 && (res.Header.Get("Access-Control-Allow-Methods") != "POST" || !strings.Contains(res.Header.Get("Access-Control-Allow-Headers"), "If-None-Match")) {
			t.Errorf("%s: %v", name, res.Header)
		}
		if c.status >= 400 {
			var a Answer
			if err := json.NewDecoder(res.Body).Decode(&a); err != nil || a.Code == "" || a.Details == "" {
				t.Errorf("%s: %+v, %v", name, a, err)
			}
		}
	}
	if res := ask(Door{}.Before(Handler(fixed(nil), false)), "POST", Prefix+"/orders", `{}`); res.StatusCode != 200 {
		t.Errorf("an open door: %d", res.StatusCode)
	}
}

// FuzzContext: whatever a body holds, it is an answer of the protocol, and no
// panic.
func FuzzContext(f *testing.F) {
	for _, seed := range []string{`{"context": {"targetingKey": "42"}}`, `{"context": {"cookie": {"a": "b"}, "header": {"": "\u0000"}, "query": {"%": "&"}}}`, `{"context": null}`, `[]`, ``, "\xff"} {
		f.Add(seed)
	}
	h := Handler(fixed(nil), true)
	f.Fuzz(func(t *testing.T, body string) {
		res := ask(h, "POST", Prefix+"/orders", body)
		var a Answer
		if err := json.NewDecoder(res.Body).Decode(&a); err != nil || a.Key != "orders" || (res.StatusCode == 200) != (a.Code == "") || res.StatusCode != 200 && res.StatusCode != 400 {
			t.Errorf("%q: %d %+v %v", body, res.StatusCode, a, err)
		}
	})
}
