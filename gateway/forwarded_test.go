package gateway

import (
	"net/http"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

func TestForwardedIsReadAsOneList(t *testing.T) {
	for in, want := range map[string][]element{
		`for=192.0.2.60;proto=http;by=203.0.113.43`: {{node: "192.0.2.60", proto: "http"}},
		`For="[2001:db8:cafe::17]:4711"`:            {{node: "[2001:db8:cafe::17]:4711"}},
		`for=192.0.2.43, for=198.51.100.17`:         {{node: "192.0.2.43"}, {node: "198.51.100.17"}},
		"for=a\nfor=b,for=c":                        {{node: "a"}, {node: "b"}, {node: "c"}},
		`for=unknown;host="a b, \"c\";d"`:           {{node: "unknown", host: `a b, "c";d`}},
		` , ;, for=a ; ; proto=https,`:              {{node: "a", proto: "https"}},
		`for=[::1]:80`:                              {{node: "[::1]:80"}},
		`FOR=_hidden;PROTO=HTTPS;Host=x`:            {{node: "_hidden", proto: "HTTPS", host: "x"}},
		``:                                          nil,
		`for=`:                                      nil,
		`for`:                                       nil,
		`for=a b`:                                   nil,
		`for="a`:                                    nil,
		`for="a\`:                                   nil,
		`for="a"b`:                                  nil,
		`=a`:                                        nil,
		`for =a`:                                    nil,
		`for=a, for=b=c`:                            nil,
		`for=a` + strings.Repeat(",for=a", 100):     nil,
	} {
		got, ok := parseForwarded(strings.Split(in, "\n"))
		if !reflect.DeepEqual(got, want) || ok != (want != nil || in == "") {
			t.Errorf("%q: %v, %v; want %v", in, got, ok, want)
		}
	}
}

func prefixes(texts ...string) (list []netip.Prefix) {
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// The client is the rightmost address that is not a trusted proxy's; what
// stands left of it is its own claim.
func TestPeerBelievesTrustedProxiesOnly(t *testing.T) {
	trusted := prefixes("10.0.0.0/8", "fd00::/8")
	for name, c := range map[string]struct {
		remote string
		header http.Header
		client string
		scheme string
		host   string
	}{
		"nobody between":             {"192.0.2.1:1234", nil, "192.0.2.1", "http", "shop"},
		"claims of a client":         {"192.0.2.1:1234", http.Header{"X-Forwarded-For": {"1.1.1.1"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"evil"}, "Forwarded": {"for=2.2.2.2;proto=https;host=evil"}}, "192.0.2.1", "http", "shop"},
		"one proxy":                  {"10.0.0.1:1234", http.Header{"X-Forwarded-For": {"192.0.2.7"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"www"}}, "192.0.2.7", "https", "www"},
		"a proxy without claims":     {"10.0.0.1:1234", nil, "10.0.0.1", "http", "shop"},
		"two proxies":                {"10.0.0.1:1234", http.Header{"X-Forwarded-For": {"1.1.1.1, 192.0.2.7, 10.0.0.2"}}, "192.0.2.7", "http", "shop"},
		"two lines":                  {"10.0.0.1:1234", http.Header{"X-Forwarded-For": {"1.1.1.1, 192.0.2.7", "10.0.0.2"}}, "192.0.2.7", "http", "shop"},
		"only proxies":               {"10.0.0.1:1234", http.Header{"X-Forwarded-For": {"10.0.0.3, 10.0.0.2"}}, "10.0.0.3", "http", "shop"},
		"no address":                 {"10.0.0.1:1234", http.Header{"X-Forwarded-For": {"192.0.2.7, unknown, 10.0.0.2"}}, "10.0.0.2", "http", "shop"},
		"with ports and brackets":    {"10.0.0.1:1234", http.Header{"X-Forwarded-For": {"192.0.2.7:80, [fd00::2]:443"}}, "192.0.2.7", "http", "shop"},
		"IPv4 in IPv6":               {"[::ffff:10.0.0.1]:1234", http.Header{"X-Forwarded-For": {"::ffff:192.0.2.7"}}, "192.0.2.7", "http", "shop"},
		"a zone":                     {"10.0.0.1:1234", http.Header{"X-Forwarded-For": {"fe80::1%eth0"}}, "fe80::1", "http", "shop"},
		"the nearest proxy's scheme": {"10.0.0.1:1234", http.Header{"X-Forwarded-Proto": {"http, https"}, "X-Forwarded-Host": {"evil, www"}}, "10.0.0.1", "https", "www"},
		"Forwarded":                  {"10.0.0.1:1234", http.Header{"Forwarded": {`for=192.0.2.7;proto=https;host=www`}}, "192.0.2.7", "https", "www"},
		"Forwarded with a port":      {"10.0.0.1:1234", http.Header{"Forwarded": {`for="[2001:db8::7]:1"`}}, "2001:db8::7", "http", "shop"},
		"Forwarded of the client":    {"10.0.0.1:1234", http.Header{"Forwarded": {"for=6.6.6.6;host=evil;proto=https"}, "X-Forwarded-For": {"192.0.2.7"}, "X-Forwarded-Proto": {"http"}}, "192.0.2.7", "http", "shop"},
		"Forwarded of several":       {"10.0.0.1:1234", http.Header{"Forwarded": {`for=1.1.1.1;proto=https;host=evil, for=192.0.2.7;proto=http;host=www`, "for=10.0.0.2"}}, "192.0.2.7", "http", "www"},
		"Forwarded hidden":           {"10.0.0.1:1234", http.Header{"Forwarded": {`for=192.0.2.7, for=_hidden`}}, "10.0.0.1", "http", "shop"},
		"Forwarded that is none":     {"10.0.0.1:1234", http.Header{"Forwarded": {`for=192.0.2.7;`, `"`}}, "10.0.0.1", "http", "shop"},
		"a peer that is no address":  {"@", http.Header{"X-Forwarded-For": {"1.1.1.1"}}, "invalid IP", "http", "shop"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: c.header, Host: "shop"}
		p := peerOf(r, trusted)
		if p.client.String() != c.client || p.scheme != c.scheme || p.host != c.host {
			t.Errorf("%s: %v %s %s, want %s %s %s", name, p.client, p.scheme, p.host, c.client, c.scheme, c.host)
		}
	}
}

// What is read of any bytes is in them, and never more than the bound.
func FuzzForwarded(f *testing.F) {
	for _, seed := range []string{
		`for=192.0.2.60;proto=http;by=203.0.113.43`, `for="[2001:db8::1]:4711", for=unknown;host="a\"b"`,
		"for=a\nfor=b", `,;,`, `for="`, `for=[::1`, "\x00=\xff", `for=a;for=b;proto=https`,
	} {
		f.Add(seed)
	}
	trusted := prefixes("0.0.0.0/0", "::/0")
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		elements, ok := parseForwarded(lines)
		if !ok && elements != nil || len(elements) > maxForwarded {
			t.Fatalf("%d elements, %v", len(elements), ok)
		}
		plain := strings.ReplaceAll(text, `\`, "")
		for _, e := range elements {
			for _, value := range []string{e.node, e.host, e.proto} {
				if !strings.Contains(plain, strings.ReplaceAll(value, `\`, "")) {
					t.Fatalf("%q is not in %q", value, text)
				}
			}
		}
		r := &http.Request{RemoteAddr: "192.0.2.1:1", Host: "shop", Header: http.Header{"Forwarded": lines}}
		if p := peerOf(r, trusted); !p.client.IsValid() || p.client.Zone() != "" || p.scheme != "http" && p.scheme != "https" {
			t.Fatalf("%+v", p)
		}
		r.Header = http.Header{"X-Forwarded-For": lines, "X-Forwarded-Proto": lines, "X-Forwarded-Host": lines}
		if p := peerOf(r, trusted); !p.client.IsValid() || p.client.Zone() != "" {
			t.Fatalf("%+v", p)
		}
		if p := peerOf(r, nil); p.client.String() != "192.0.2.1" || p.host != "shop" {
			t.Fatalf("%+v", p)
		}
	})
}
