package flags

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// fixed is an assigner whose cookies are the same in every run, so that a
// corpus can hold good ones.
func fixed(t testing.TB) *Assigner {
	return assigner(t, Options{Secrets: [][]byte{secretA, secretB}, Now: func() time.Time { return time.Unix(1_750_000_000, 0) }})
}

// What passes for our cookie is our cookie, in its only spelling.
func FuzzAnonymousCookie(f *testing.F) {
	a := fixed(f)
	f.Add(a.anonymous.seal([idSize]byte{1, 2, 3}))
	f.Add(strings.Repeat("A", 44))
	f.Add("")
	f.Fuzz(func(t *testing.T, value string) {
		id, secret, ok := a.anonymous.open(value)
		if !ok {
			return
		}
		raw, err := strict64.DecodeString(id)
		if err != nil || len(raw) != idSize {
			t.Fatalf("the id %q of %q is not one", id, value)
		}
		if secret == 0 && a.anonymous.seal([idSize]byte(raw)) != value {
			t.Fatalf("%q passes, but is not what we make", value)
		}
	})
}

// What passes for our cookie is what we would make of what it says.
func FuzzJourneyCookie(f *testing.F) {
	a := fixed(f)
	f.Add(a.sealJourneys([]stop{{journeyID("orders"), migrations.Modern, 1_750_000_100, 1_750_007_300}}))
	f.Add(strings.Repeat("A", 40))
	f.Add("")
	f.Fuzz(func(t *testing.T, value string) {
		all, ok := a.openJourneys(value)
		if !ok {
			return
		}
		if len(all) == 0 || len(all) > maxJourneys {
			t.Fatalf("%q holds %d journeys", value, len(all))
		}
		if a.sealJourneys(all) != value {
			t.Fatalf("%q passes, but is not what we make", value)
		}
	})
}

// A claim that is found is the one that encoding/json finds.
func FuzzJWTClaim(f *testing.F) {
	f.Add("Bearer e30."+b64(`{"sub":"u"}`)+".s", "sub")
	f.Add("Bearer e30."+b64(`{"a":{"b":1e3}}`)+".s", "a.b")
	f.Add("Basic x", "sub")
	f.Fuzz(func(t *testing.T, header, path string) {
		got := claim(http.Header{"Authorization": {header}}, path)
		if got == "" || strings.Contains(path, ".") {
			return
		}
		payload, err := strict64.DecodeString(strings.TrimRight(strings.Split(header, ".")[1], "="))
		if err != nil {
			return // spelt loosely
		}
		var claims map[string]any
		d := json.NewDecoder(strings.NewReader(string(payload)))
		d.UseNumber()
		if err := d.Decode(&claims); err != nil {
			t.Fatalf("found %q in what is not JSON: %v", got, err)
		}
		switch want := claims[path].(type) {
		case string:
			if got != want {
				t.Fatalf("found %q, want %q", got, want)
			}
		case json.Number:
			if got != string(want) {
				t.Fatalf("found %q, want %q", got, want)
			}
		default:
			t.Fatalf("found %q, but the claim is %v", got, want)
		}
	})
}

// Stripping takes our cookies out and no others, and leaves the order.
func FuzzCookieScan(f *testing.F) {
	f.Add("a=1; ficus_id=x; b=2", "ficus_journey=y")
	f.Add(" ;;a ;=; ficus_id", "\"; ficus_\t=\"q\"")
	f.Fuzz(func(t *testing.T, one, two string) {
		h := http.Header{"Cookie": {one, two}}
		var want []string
		for name, value := range cookies(h) {
			if !strings.Contains(one+"\n"+two, name) || !strings.Contains(one+"\n"+two, value) {
				t.Fatalf("%q=%q is not in %q", name, value, h)
			}
			if !strings.HasPrefix(strings.TrimPrefix(name, hostPrefix), ownCookies) {
				want = append(want, name+"="+value)
			}
		}
		StripCookies(h)
		var got []string
		for name, value := range cookies(h) {
			got = append(got, name+"="+value)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q and %q are stripped to %q, want %q", one, two, got, want)
		}
		once := slices.Clone(h["Cookie"])
		StripCookies(h)
		if !slices.Equal(h["Cookie"], once) {
			t.Fatalf("stripping %q again gives %q", once, h["Cookie"])
		}
	})
}
