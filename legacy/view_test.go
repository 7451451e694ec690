package legacy

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestResponseTranslatesEveryLine(t *testing.T) {
	h := http.Header{
		"Location":         {"http://app.internal/v2/a", "/v2/b", "https://pay.example.net/v2"},
		"Content-Location": {"/v2/a.json"},
		"Refresh":          {"5; url=/v2/c"},
		"Set-Cookie":       {"sid=1; Path=/v2", "theme=dark", "lang=de; Domain=.app.internal; Path=/"},
		"Link":             {"</v2/style.css>; rel=preload"},
	}
	want := http.Header{
		"Location":         {"https://shop.example.com/shop/a", "/shop/b", "https://pay.example.net/v2"},
		"Content-Location": {"/shop/a.json"},
		"Refresh":          {"5; url=/shop/c"},
		"Set-Cookie":       {"sid=1; Path=/shop", "theme=dark", "lang=de; Domain=.shop.example.com; Path=/shop"},
		"Link":             {"</v2/style.css>; rel=preload"},
	}
	prefixed.Response(h)
	if diff := cmp.Diff(want, h); diff != "" {
		t.Error(diff)
	}
}

func TestResponseIsInvisibleWhereSidesAgree(t *testing.T) {
	views := map[string]View{
		"zero":              {},
		"preserved":         {ClientScheme: "http", ClientHost: "shop.example.com", UpstreamScheme: "http", UpstreamHost: "shop.example.com"},
		"behind TLS":        {ClientScheme: "https", ClientHost: "shop.example.com", UpstreamScheme: "http", UpstreamHost: "shop.example.com"},
		"upper case":        {ClientScheme: "http", ClientHost: "Shop.Example.com", UpstreamScheme: "http", UpstreamHost: "shop.example.com"},
		"default port":      {ClientScheme: "https", ClientHost: "shop.example.com:443", UpstreamScheme: "http", UpstreamHost: "shop.example.com:80"},
		"no host":           {ClientScheme: "http", UpstreamScheme: "http", UpstreamHost: "10.0.0.5:3001"},
		"bad client host":   {ClientScheme: "http", ClientHost: "a b", UpstreamScheme: "http", UpstreamHost: "10.0.0.5:3001"},
		"attribute as host": {ClientScheme: "http", ClientHost: "a.b;httponly", UpstreamScheme: "http", UpstreamHost: "10.0.0.5:3001"},
		"equal prefixes":    {ClientScheme: "http", ClientHost: "shop.example.com", Strip: "/a", Add: "/a/"},
		"slash":             {ClientScheme: "http", ClientHost: "shop.example.com", Strip: "/"},
	}
	for name, view := range views {
		t.Run(name, func(t *testing.T) {
			h := http.Header{
				"Location":   {"http://10.0.0.5:3001/a/x", "http://shop.example.com/a/x"},
				"Refresh":    {"5; url=/a/x"},
				"Set-Cookie": {"sid=1; Domain=10.0.0.5; Path=/a", "b=2; Domain=shop.example.com; Path=/"},
			}
			want := h.Clone()
			view.Response(h)
			if diff := cmp.Diff(want, h); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestResponseDoesNotAllocateWhereSidesAgree(t *testing.T) {
	v := View{ClientScheme: "https", ClientHost: "shop.example.com", UpstreamScheme: "http", UpstreamHost: "shop.example.com"}
	h := http.Header{"Location": {"http://shop.example.com/x"}, "Set-Cookie": {"sid=1; Path=/; Domain=shop.example.com"}}
	if n := testing.AllocsPerRun(100, func() { v.Response(h) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// A regular expression in a route has no inverse: hosts are translated, paths are not.
func TestWithoutPrefixesPathsStay(t *testing.T) {
	h := http.Header{"Location": {"http://10.0.0.5:3001/internal/orders/7", "/internal/orders/7"}, "Set-Cookie": {"a=1; Path=/internal"}}
	want := http.Header{"Location": {"https://shop.example.com/internal/orders/7", "/internal/orders/7"}, "Set-Cookie": {"a=1; Path=/internal"}}
	plain.Response(h)
	if diff := cmp.Diff(want, h); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkResponseSame(b *testing.B) {
	v := View{ClientScheme: "https", ClientHost: "shop.example.com", UpstreamScheme: "http", UpstreamHost: "shop.example.com"}
	h := http.Header{"Location": {"http://shop.example.com/x"}, "Set-Cookie": {"sid=1; Path=/"}}
	b.ReportAllocs()
	for b.Loop() {
		v.Response(h)
	}
}

func BenchmarkResponseDiffers(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		h := http.Header{"Location": {"http://app.internal/v2/x"}, "Set-Cookie": {"sid=1; Path=/v2"}}
		prefixed.Response(h)
	}
}
