package legacy

import "testing"

// Both views differ in host; prefixed also in path, tunnelled in path alone.
var (
	plain = View{
		ClientScheme: "https", ClientHost: "shop.example.com",
		UpstreamScheme: "http", UpstreamHost: "10.0.0.5:3001",
	}
	prefixed = View{
		ClientScheme: "https", ClientHost: "shop.example.com",
		UpstreamScheme: "http", UpstreamHost: "app.internal",
		Strip: "/shop", Add: "/v2",
	}
	stripped = View{
		ClientScheme: "https", ClientHost: "shop.example.com",
		UpstreamScheme: "http", UpstreamHost: "shop.example.com",
		Strip: "/shop",
	}
	added = View{
		ClientScheme: "http", ClientHost: "localhost:8080",
		UpstreamScheme: "http", UpstreamHost: "localhost:8080",
		Add: "/v2/",
	}
	secure = View{
		ClientScheme: "http", ClientHost: "shop.example.com:8080",
		UpstreamScheme: "https", UpstreamHost: "app.internal",
	}
	sixes = View{
		ClientScheme: "http", ClientHost: "[2001:db8::1]:8080",
		UpstreamScheme: "http", UpstreamHost: "[::1]:3001",
	}
	international = View{
		ClientScheme: "https", ClientHost: "xn--bcher-kva.example",
		UpstreamScheme: "http", UpstreamHost: "intern.bücher.example",
	}
	downgraded = View{
		ClientScheme: "http", ClientHost: "shop.example.com:8080",
		UpstreamScheme: "http", UpstreamHost: "app.internal",
	}
)

func TestURLTranslation(t *testing.T) {
	same := "(same)"
	tests := []struct {
		name string
		view View
		in   string
		want string
	}{
		// hosts
		{"internal address leaks", plain, "http://10.0.0.5:3001/x", "https://shop.example.com/x"},
		{"absolute, host only", plain, "http://10.0.0.5:3001", "https://shop.example.com"},
		{"absolute, query after host", plain, "http://10.0.0.5:3001?a=b", "https://shop.example.com?a=b"},
		{"absolute, fragment after host", plain, "http://10.0.0.5:3001#top", "https://shop.example.com#top"},
		{"scheme-relative", plain, "//10.0.0.5:3001/x", "//shop.example.com/x"},
		{"other port is another application", plain, "http://10.0.0.5:3002/x", same},
		{"missing port is another application", plain, "http://10.0.0.5/x", same},
		{"told of https, kept its port", plain, "https://10.0.0.5:3001/x", "https://shop.example.com/x"},
		{"foreign", plain, "https://pay.example.net/x", same},
		{"foreign below our name", plain, "http://10.0.0.5:3001.evil.example/x", same},
		{"foreign, our host as userinfo", plain, "http://10.0.0.5:3001@evil.example/x", same},
		{"foreign, our host in the path", plain, "http://evil.example/http://10.0.0.5:3001/", same},
		{"foreign, our host in the query", plain, "http://evil.example?u=http://10.0.0.5:3001/", same},
		{"userinfo", plain, "http://bob:s3c%40ret@10.0.0.5:3001/x", "https://bob:s3c%40ret@shop.example.com/x"},
		{"userinfo with at", plain, "http://a@b@10.0.0.5:3001/x", "https://a@b@shop.example.com/x"},
		{"backslash in userinfo", plain, `http://evil.example\@10.0.0.5:3001/x`, same},
		{"backslash in host", plain, `http://10.0.0.5:3001\x`, same},
		{"client's own host", plain, "https://shop.example.com/x", same},
		{"relative, nothing to strip", plain, "/x", same},
		{"upper case", prefixed, "HTTP://APP.Internal/v2/X", "https://shop.example.com/shop/X"},
		{"default port written", prefixed, "http://app.internal:80/v2/x", "https://shop.example.com/shop/x"},
		{"empty port", prefixed, "http://app.internal:/v2/x", "https://shop.example.com/shop/x"},
		{"other scheme's default port", prefixed, "https://app.internal:443/v2/x", "https://shop.example.com/shop/x"},
		{"dot at the end of the name", prefixed, "http://app.internal./v2/x", "https://shop.example.com/shop/x"},
		{"https upstream, http client", secure, "https://app.internal/x", "http://shop.example.com:8080/x"},
		{"https upstream, default port written", secure, "https://app.internal:443/x", "http://shop.example.com:8080/x"},
		{"redirect to https keeps its scheme", downgraded, "https://app.internal/x", "https://shop.example.com/x"},
		{"scheme kept in its case when right", downgraded, "HTTP://app.internal/x", "HTTP://shop.example.com:8080/x"},
		{"IPv6", sixes, "http://[::1]:3001/x", "http://[2001:db8::1]:8080/x"},
		{"IPv6 written long", sixes, "http://[0:0:0:0:0:0:0:1]:3001/x", "http://[2001:db8::1]:8080/x"},
		{"IPv6, redirect to https", sixes, "https://[::1]:3001/x", "https://[2001:db8::1]/x"},
		{"IPv6, another", sixes, "http://[::2]:3001/x", same},
		{"IPv6, bracket open", sixes, "http://[::1:3001/x", same},
		{"IPv6, junk after bracket", sixes, "http://[::1]x:3001/x", same},
		{"IDN, unicode", international, "http://intern.Bücher.example/x", "https://xn--bcher-kva.example/x"},
		{"IDN, punycode", international, "http://intern.xn--bcher-kva.example/x", "https://xn--bcher-kva.example/x"},
		{"IDN, another", international, "http://intern.bucher.example/x", same},

		// paths
		{"prefix", prefixed, "/v2/cart", "/shop/cart"},
		{"prefix alone", prefixed, "/v2", "/shop"},
		{"prefix with slash", prefixed, "/v2/", "/shop/"},
		{"prefix with query", prefixed, "/v2?a=/v2/b", "/shop?a=/v2/b"},
		{"prefix with fragment", prefixed, "/v2#/v2", "/shop#/v2"},
		{"segment boundary", prefixed, "/v20/cart", same},
		{"outside the prefix", prefixed, "/admin", same},
		{"outside the prefix, absolute", prefixed, "http://app.internal/admin", same},
		{"outside the prefix, root", prefixed, "http://app.internal/", same},
		{"outside the prefix, no path", prefixed, "http://app.internal", same},
		{"query and fragment kept", prefixed, "http://app.internal/v2/x?a=%2f&&b=c;d?#f?#", "https://shop.example.com/shop/x?a=%2f&&b=c;d?#f?#"},
		{"empty query kept", prefixed, "/v2/x?", "/shop/x?"},
		{"encoded path kept", prefixed, "/v2/a%2Fb%2fc/%7Euser/%zz//d", "/shop/a%2Fb%2fc/%7Euser/%zz//d"},
		{"raw octets kept", prefixed, "/v2/caf\xc3\xa9 \xff", "/shop/caf\xc3\xa9 \xff"},
		{"prefix written encoded", prefixed, "/%76%32/x", "/shop/x"},
		{"encoded slash ends no segment", prefixed, "/v2%2fx", same},
		{"climbs out", prefixed, "/v2/../admin", same},
		{"climbs out, encoded", prefixed, "/v2/a/%2E%2e/.%2e/admin", same},
		{"climbs within", prefixed, "/v2/a/../b/./c", "/shop/a/../b/./c"},
		{"dots in names", prefixed, "/v2/.../..a", "/shop/.../..a"},
		{"stripped only", stripped, "/login", "/shop/login"},
		{"stripped only, root", stripped, "/", "/shop/"},
		{"stripped only, absolute", stripped, "http://shop.example.com/login", "http://shop.example.com/shop/login"},
		{"stripped only, scheme as told", stripped, "https://shop.example.com/login", "https://shop.example.com/shop/login"},
		{"stripped only, bytes of the host", stripped, "http://SHOP.example.com:80/login", "http://SHOP.example.com:80/shop/login"},
		{"stripped only, no path", stripped, "http://shop.example.com", "http://shop.example.com/shop/"},
		{"stripped only, scheme-relative", stripped, "//shop.example.com/login", "//shop.example.com/shop/login"},
		{"stripped only, foreign", stripped, "http://10.0.0.5:3001/x", same},
		{"added only", added, "/v2/x", "/x"},
		{"added only, prefix alone", added, "/v2", "/"},
		{"added only, absolute", added, "http://localhost:8080/v2", "http://localhost:8080/"},
		{"no host is made of a path", added, "/v2//evil.example/x", "/.//evil.example/x"},
		{"no host is made of a backslash", added, `/v2/\evil.example/x`, `/./\evil.example/x`},
		{"two slashes after a host", added, "http://localhost:8080/v2//x", "http://localhost:8080//x"},

		// references that mean the same, or nothing certain
		{"empty", prefixed, "", same},
		{"relative", prefixed, "cart", same},
		{"relative, up", prefixed, "../cart", same},
		{"query only", prefixed, "?page=2", same},
		{"fragment only", prefixed, "#top", same},
		{"colon in a relative path", prefixed, "./a:b", same},
		{"mail", prefixed, "mailto:a@app.internal", same},
		{"app link", prefixed, "shop://app.internal/v2/x", same},
		{"one slash", prefixed, "http:/v2/x", same},
		{"no slash", prefixed, "http:v2/x", same},
		{"three slashes", prefixed, "http:///v2/x", same},
		{"host of a backslash", prefixed, `/\app.internal/v2/x`, same},
		{"port of letters", prefixed, "http://app.internal:http/v2/x", same},
		{"space in the host", prefixed, "http://app.internal /v2/x", same},
		{"tab inside", prefixed, "/v2/\tx", same},
		{"space before", prefixed, " /v2/x", same},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			if want == same {
				want = tt.in
			}
			got, changed := tt.view.URL(tt.in)
			if got != want {
				t.Errorf("URL(%q) = %q, want %q", tt.in, got, want)
			}
			if changed != (got != tt.in) {
				t.Errorf("URL(%q) reports %v", tt.in, changed)
			}
		})
	}
}
