package flags

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestStorable(t *testing.T) {
	const now, later, php = "Mon, 02 Jun 2025 10:00:00 GMT", "Mon, 02 Jun 2025 11:00:00 GMT", "Thu, 19 Nov 1981 08:52:00 GMT"
	cc := func(v ...string) http.Header { return http.Header{"Cache-Control": v} }
	with := func(h http.Header, pairs ...string) http.Header {
		for i := 0; i < len(pairs); i += 2 {
			h.Add(pairs[i], pairs[i+1])
		}
		return h
	}
	authorized := http.Header{"Authorization": {"Bearer x"}}
	for name, c := range map[string]struct {
		method  string
		status  int
		h       http.Header
		request http.Header
		want    bool
	}{
		"dynamic page without a word":     {"GET", 200, http.Header{}, nil, false},
		"PHP session page":                {"GET", 200, with(cc("no-store, no-cache, must-revalidate"), "Expires", php, "Pragma", "no-cache"), nil, false},
		"Rails page":                      {"GET", 200, with(cc("max-age=0, private, must-revalidate"), "ETag", `W/"1"`), nil, false},
		"no-cache page":                   {"GET", 200, cc("no-cache"), nil, false},
		"no-cache page with validator":    {"GET", 200, with(cc("no-cache"), "ETag", `"1"`), nil, true},
		"private":                         {"GET", 200, cc("private, max-age=600"), nil, false},
		"private in upper case":           {"GET", 200, cc("PRIVATE"), nil, false},
		"private fields only":             {"GET", 200, cc(`max-age=60, private="x, no-store"`), nil, true},
		"private on a second line":        {"GET", 200, cc("max-age=600", "private"), nil, false},
		"no-store":                        {"GET", 200, cc("no-store, max-age=60"), nil, false},
		"no-store, must-understand":       {"GET", 200, cc("must-understand, no-store, max-age=60"), nil, true},
		"no-store in a quoted string":     {"GET", 200, cc(`x="a, no-store, \" b", max-age=60`), nil, true},
		"public":                          {"GET", 200, cc("public"), nil, true},
		"max-age":                         {"GET", 200, cc("max-age=60"), nil, true},
		"max-age, quoted":                 {"GET", 200, cc(`max-age="60"`), nil, true},
		"max-age=0":                       {"GET", 200, cc("max-age=0"), nil, false},
		"max-age=0 with validator":        {"GET", 200, with(cc("max-age=0"), "Last-Modified", now), nil, true},
		"max-age beyond belief":           {"GET", 200, cc("max-age=99999999999999999999"), nil, true},
		"s-maxage beats max-age":          {"GET", 200, cc("max-age=60, s-maxage=0"), nil, false},
		"s-maxage":                        {"GET", 200, cc("max-age=0, s-maxage=60"), nil, true},
		"may be served stale":             {"GET", 200, cc("max-age=0, stale-while-revalidate=30"), nil, true},
		"Expires":                         {"GET", 200, http.Header{"Date": {now}, "Expires": {later}}, nil, true},
		"Expires now":                     {"GET", 200, http.Header{"Date": {now}, "Expires": {now}}, nil, false},
		"Expires 0":                       {"GET", 200, http.Header{"Expires": {"0"}}, nil, false},
		"Expires long ago, no Date":       {"GET", 200, http.Header{"Expires": {php}}, nil, false},
		"Expires, but max-age=0":          {"GET", 200, http.Header{"Date": {now}, "Expires": {later}, "Cache-Control": {"max-age=0"}}, nil, false},
		"file with Last-Modified":         {"GET", 200, http.Header{"Last-Modified": {now}}, nil, true},
		"page with ETag":                  {"GET", 200, http.Header{"Etag": {`W/"1"`}}, nil, true},
		"page with ETag and its cookie":   {"GET", 200, http.Header{"Etag": {`W/"1"`}, "Set-Cookie": {"s=1"}}, nil, false},
		"public with a cookie":            {"GET", 200, with(cc("public, max-age=60"), "Set-Cookie", "s=1"), nil, true},
		"error with ETag":                 {"GET", 500, http.Header{"Etag": {`"1"`}}, nil, false},
		"not found":                       {"GET", 404, http.Header{}, nil, false},
		"not found with Last-Modified":    {"GET", 404, http.Header{"Last-Modified": {now}}, nil, true},
		"error that may be kept":          {"GET", 503, cc("max-age=5"), nil, true},
		"temporary redirect":              {"GET", 302, http.Header{}, nil, false},
		"permanent redirect":              {"GET", 301, http.Header{}, nil, true},
		"permanent redirect, private":     {"GET", 308, cc("private"), nil, false},
		"gone":                            {"GET", 410, http.Header{}, nil, true},
		"not modified":                    {"GET", 304, http.Header{}, nil, true},
		"not modified, private":           {"GET", 304, cc("private"), nil, false},
		"switching protocols":             {"GET", 101, cc("public"), nil, false},
		"HEAD":                            {"HEAD", 200, cc("max-age=60"), nil, true},
		"POST":                            {"POST", 200, http.Header{"Last-Modified": {now}}, nil, false},
		"POST with lifetime":              {"POST", 200, cc("max-age=60"), nil, true},
		"PUT with lifetime":               {"PUT", 200, cc("max-age=60"), nil, false},
		"authorized":                      {"GET", 200, cc("max-age=60"), authorized, false},
		"authorized, but public":          {"GET", 200, cc("public, max-age=60"), authorized, true},
		"authorized, but s-maxage":        {"GET", 200, cc("s-maxage=60"), authorized, true},
		"authorized, but must-revalidate": {"GET", 200, cc("max-age=60, must-revalidate"), authorized, true},
		"CDN told past private":           {"GET", 200, with(cc("private"), "CDN-Cache-Control", "max-age=60"), nil, true},
		"nginx told past no-store":        {"GET", 200, with(cc("no-store"), "X-Accel-Expires", "60"), nil, true},
		"Vary is no protection":           {"GET", 200, with(cc("max-age=60"), "Vary", "Cookie"), nil, true},
	} {
		r := httptest.NewRequest(c.method, "/", nil)
		if c.request != nil {
			r.Header = c.request
		}
		if got := Storable(c.status, c.h, r); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
