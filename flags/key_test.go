package flags

import (
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/ficus-gateway/ficus/migrations"
)

// sources reads a key list as the config has it.
func sources(list ...string) []migrations.KeySource {
	out := []migrations.KeySource{}
	for _, text := range list {
		kind, name, _ := strings.Cut(text, ":")
		out = append(out, migrations.KeySource{Kind: migrations.KeyKind(kind), Name: name})
	}
	return out
}

func TestTheFirstKeyPresentCounts(t *testing.T) {
	a := assigner(t, Options{})
	long := strings.Repeat("x", maxKey+1)
	for name, c := range map[string]struct {
		list   []migrations.KeySource
		want   string
		source string
	}{
		"header":                {sources("header:x-user-id"), "h1", "header:x-user-id"},
		"header, empty first":   {sources("header:X-Twice"), "second", "header:X-Twice"},
		"host":                  {sources("header:host"), "shop.example", "header:host"},
		"cookie":                {sources("cookie:uid"), "c1", "cookie:uid"},
		"quoted cookie":         {sources("cookie:quoted"), "a b", "cookie:quoted"},
		"empty cookie, next":    {sources("cookie:empty", "query:q"), "q 1", "query:q"},
		"empty query":           {sources("query:none"), "", ""},
		"name, not part of one": {sources("cookie:id", "cookie:UID"), "", ""},
		"missing, next":         {sources("header:X-None", "cookie:none", "query:zip", "jwt:none", "cookie:uid"), "c1", "cookie:uid"},
		"jwt":                   {sources("jwt:sub"), "j1", "jwt:sub"},
		"ip":                    {sources("ip"), "192.0.2.7", "ip"},
		"url":                   {sources("url"), "//a/%2F;b?q=q+1&none=&x", "url"},
		"anonymous, no cookie":  {sources("anonymous", "ip"), "192.0.2.7", "ip"},
		"anonymous alone":       {sources("anonymous"), "", ""},
		"no list":               {sources(), "", ""},
		"unknown kind":          {sources("moon:phase"), "", ""},
		"too long":              {sources("header:X-Long"), bounded(long), "header:X-Long"},
	} {
		r := httptest.NewRequest("GET", "//a/%2F;b?q=q+1&none=&x", nil)
		r.Host = "shop.example"
		r.Header = map[string][]string{
			"X-User-Id":     {"h1"},
			"X-Twice":       {"", "second"},
			"X-Long":        {long},
			"Cookie":        {"a=b; xid=no; uid=c1", `empty=; quoted="a b"; uid=c2`},
			"Authorization": {"bearer e30." + b64(`{"sub":"j1"}`) + ".sig"},
		}
		in := &Input{Plan: &migrations.Plan{Key: c.list}, Request: r, Client: netip.MustParseAddr("::ffff:192.0.2.7")}
		got := a.find(in)
		if got.text != c.want || got.source.String() != c.source {
			t.Errorf("%s: %q from %q, want %q from %q", name, got.text, got.source, c.want, c.source)
		}
		if len(got.text) > maxKey {
			t.Errorf("%s: a key of %d bytes", name, len(got.text))
		}
	}
}

// Law 11: what the client says is verified by a trusted proxy, or by a
// signature, or it is not about what the client says.
func TestOnlyTrustedKeysAreVerified(t *testing.T) {
	a := assigner(t, Options{})
	for _, c := range []struct {
		source        string
		client, proxy bool
	}{
		{"header:X-User-Id", false, true}, {"cookie:uid", false, true}, {"query:q", false, true}, {"jwt:sub", false, true},
		{"ip", true, true}, {"url", false, false}, {"request", false, false}, {"anonymous", true, true},
	} {
		r := httptest.NewRequest("GET", "/?q=1", nil)
		r.Header.Set("X-User-Id", "1")
		r.Header.Set("Authorization", "Bearer e30."+b64(`{"sub":"1"}`)+".")
		r.Header.Set("Cookie", "uid=1; ficus_id="+a.anonymous.seal([idSize]byte{1}))
		in := &Input{Plan: &migrations.Plan{Key: sources(c.source)}, Request: r, Client: netip.MustParseAddr("192.0.2.7")}
		if got := a.find(in); got.text == "" || got.verified != c.client {
			t.Errorf("%s from a client: %+v", c.source, got)
		}
		in.Trusted = true
		if got := a.find(in); got.verified != c.proxy {
			t.Errorf("%s from a trusted proxy: %+v", c.source, got)
		}
	}
}

func TestAddressesGoByTheirNetwork(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.7":            "192.0.2.7",
		"::ffff:192.0.2.7":     "192.0.2.7",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::1": "2001:db8:1:2::/64",
		"fe80::1%eth0":         "fe80::/64",
	} {
		if got := network(netip.MustParseAddr(addr)); got != want {
			t.Errorf("network(%s) = %q, want %q", addr, got, want)
		}
	}
	if got := network(netip.Addr{}); got != "" {
		t.Errorf("no address has the key %q", got)
	}
}

func TestEveryRequestHasItsOwnRandomKey(t *testing.T) {
	a := assigner(t, Options{})
	in := &Input{Plan: &migrations.Plan{Key: sources("request")}, Request: httptest.NewRequest("GET", "/", nil)}
	one, two := a.find(in), a.find(in)
	if one.text == "" || one.text == two.text {
		t.Errorf("%q and %q", one.text, two.text)
	}
}

func TestURLOfAnAbsoluteTargetIsItsPathAndQuery(t *testing.T) {
	r := httptest.NewRequest("GET", "http://shop.example/a%2Fb?c=d", nil)
	if got := target(r); got != "/a%2Fb?c=d" {
		t.Errorf("target %q", got)
	}
}
