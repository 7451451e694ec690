package legacy

import "testing"

func TestCookieTranslation(t *testing.T) {
	same := "(same)"
	sub := View{ // a parent domain that both sides share
		ClientScheme: "https", ClientHost: "shop.example.com",
		UpstreamScheme: "http", UpstreamHost: "app.int.example.com:3000",
	}
	local := View{
		ClientScheme: "http", ClientHost: "localhost:8080",
		UpstreamScheme: "http", UpstreamHost: "app.internal:3000",
	}
	tests := []struct {
		name string
		view View
		in   string
		want string
	}{
		// domain
		{"upstream's host", prefixed, "a=1; Domain=app.internal", "a=1; Domain=shop.example.com"},
		{"upstream's host, upper case", prefixed, "a=1; domain=APP.internal", "a=1; domain=shop.example.com"},
		{"upstream's host, leading dot", prefixed, "a=1; Domain=.app.internal", "a=1; Domain=.shop.example.com"},
		{"upstream's parent", prefixed, "a=1; Domain=internal", "a=1; Domain=shop.example.com"},
		{"upstream's parent, leading dot", prefixed, "a=1; Domain=.internal; Secure", "a=1; Domain=.shop.example.com; Secure"},
		{"parent of both", sub, "a=1; Domain=example.com", same},
		{"parent of both, leading dot", sub, "a=1; Domain=.Example.com", same},
		{"parent of the upstream alone", sub, "a=1; Domain=int.example.com", "a=1; Domain=shop.example.com"},
		{"below the upstream's host", prefixed, "a=1; Domain=x.app.internal", same},
		{"tail of a name is no parent", prefixed, "a=1; Domain=nternal", same},
		{"foreign", prefixed, "a=1; Domain=ads.example.net", same},
		{"client's host", prefixed, "a=1; Domain=shop.example.com", same},
		{"empty", prefixed, "a=1; Domain=; Secure", same},
		{"without value", prefixed, "a=1; Domain; Secure", same},
		{"a dot", prefixed, "a=1; Domain=.", same},
		{"address", plain, "a=1; Domain=10.0.0.5; Secure", "a=1; Domain=shop.example.com; Secure"},
		{"parent of an address", plain, "a=1; Domain=0.0.5", same},
		{"client is an address", sixes, "a=1; Domain=[::1]; Path=/; Secure", "a=1; Path=/; Secure"},
		{"client is a single label", local, "a=1; Path=/; Domain=app.internal", "a=1; Path=/"},
		{"client has a port", secure, "a=1; Domain=app.internal", "a=1; Domain=shop.example.com"},
		{"IDN", international, "a=1; Domain=intern.bücher.example", "a=1; Domain=xn--bcher-kva.example"},
		{"IDN, parent of both", international, "a=1; Domain=bücher.example", same},
		{"host preserved", stripped, "a=1; Domain=10.0.0.5", same},

		// path
		{"root", stripped, "a=1; Path=/", "a=1; Path=/shop"},
		{"below", stripped, "a=1; Path=/cart/", "a=1; Path=/shop/cart/"},
		{"missing", stripped, "a=1; Secure", same},
		{"empty path", stripped, "a=1; Path=; Secure", same},
		{"relative path", stripped, "a=1; Path=cart", same},
		{"quoted path is none", stripped, `a=1; Path="/cart"`, same},
		{"prefix", prefixed, "a=1; Path=/v2", "a=1; Path=/shop"},
		{"prefix with slash", prefixed, "a=1; Path=/v2/", "a=1; Path=/shop/"},
		{"covers the prefix", prefixed, "a=1; Path=/", "a=1; Path=/shop"},
		{"outside the prefix", prefixed, "a=1; Path=/admin", same},
		{"segment boundary", prefixed, "a=1; Path=/v20", same},
		{"added only, root", added, "a=1; Path=/", same},
		{"added only, prefix", added, "a=1; Path=/v2", "a=1; Path=/"},
		{"added only, below", added, "a=1; Path=/v2/x", "a=1; Path=/x"},
		{"paths equal", plain, "a=1; Path=/v2", same},

		// the line
		{"order, case and spaces", prefixed, "sid=x ;secure;  PATH = /v2/a ; dOmAiN=\tapp.internal;Max-Age=5;HttpOnly ; SameSite=Lax; Partitioned;",
			"sid=x ;secure;  PATH = /shop/a ; dOmAiN=\tshop.example.com;Max-Age=5;HttpOnly ; SameSite=Lax; Partitioned;"},
		{"every one of several", prefixed, "a=1; Path=/v2; Path=/v2/b; Domain=x.test; Domain=app.internal", "a=1; Path=/shop; Path=/shop/b; Domain=x.test; Domain=shop.example.com"},
		{"expires with commas", prefixed, "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/v2", "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/shop"},
		{"domain inside the value", prefixed, "a=Domain=app.internal&path=/v2", same},
		{"domain inside the value, then attributes", prefixed, "a=domain=app.internal; Path=/v2", "a=domain=app.internal; Path=/shop"},
		{"cookie called domain", prefixed, "domain=app.internal; Secure", same},
		{"cookie called path", prefixed, "path=/v2; Secure", same},
		{"quoted value", prefixed, `a="b c"; Path=/v2`, `a="b c"; Path=/shop`},
		{"quotes hide no semicolon", prefixed, `a="b; Domain=app.internal"`, same},
		{"__Host-", prefixed, "__Host-sid=1; Secure; Path=/", same},
		{"__host- in lower case", prefixed, "__host-sid=1; Secure; Path=/; Domain=app.internal", same},
		{"__Host-Http-", prefixed, "__Host-Http-sid=1; Secure; HttpOnly; Path=/", same},
		{"__Secure-", prefixed, "__Secure-sid=1; Secure; Path=/v2; Domain=app.internal", "__Secure-sid=1; Secure; Path=/shop; Domain=shop.example.com"},
		{"__Host- as a value", prefixed, "a=__Host-; Path=/v2", "a=__Host-; Path=/shop"},
		{"bare", prefixed, "a=1", same},
		{"empty line", prefixed, "", same},
		{"semicolons only", prefixed, ";;;", same},
		{"no name", prefixed, "; Path=/v2", "; Path=/shop"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			if want == same {
				want = tt.in
			}
			got, changed := tt.view.SetCookie(tt.in)
			if got != want {
				t.Errorf("SetCookie(%q)\n got %q\nwant %q", tt.in, got, want)
			}
			if changed != (got != tt.in) {
				t.Errorf("SetCookie(%q) reports %v", tt.in, changed)
			}
		})
	}
}
