package flags

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ficus-gateway/ficus/migrations"
)

var (
	secretA = bytes.Repeat([]byte("a"), 32)
	secretB = bytes.Repeat([]byte("b"), 32)
)

// visit is a request of a client that has these cookies.
func visit(t testing.TB, key []migrations.KeySource, cookies ...*http.Cookie) *Input {
	in := input(t, "live=50%")
	in.Plan.Key = key
	in.Request.Header = http.Header{}
	for _, c := range cookies {
		in.Request.AddCookie(c)
	}
	return in
}

func TestAnAnonymousClientHasAKeyFromItsSecondRequestOn(t *testing.T) {
	a := assigner(t, Options{})
	first := visit(t, sources("anonymous"))
	first.Secure = true
	asg := a.Assign(t.Context(), first)
	if asg.Key != "" || asg.Stage != "off" || asg.Bucket != -1 {
		t.Errorf("the first request: %+v", asg)
	}
	c := a.Cookie(first, asg)
	if c == nil {
		t.Fatal("no cookie")
	}
	if c.Name != "ficus_id" || len(c.Value) != 44 || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge != 31536000 || c.Domain != "" {
		t.Errorf("cookie %s", c)
	}
	if err := c.Valid(); err != nil {
		t.Error(err)
	}
	second := visit(t, sources("anonymous"), c)
	asg = a.Assign(t.Context(), second)
	if asg.Key == "" || !asg.Verified || asg.Source.Kind != "anonymous" || asg.Reason != "SPLIT" {
		t.Errorf("the second request: %+v", asg)
	}
	if again := a.Cookie(second, asg); again != nil {
		t.Errorf("the cookie is set again: %s", again)
	}
	first.Secure = false
	if other := a.Cookie(first, a.Assign(t.Context(), first)); other.Secure || other.Value == c.Value {
		t.Errorf("another client without TLS: %s", other)
	}
}

func TestOnlyThoseWhoNeedAnAnonymousCookieGetOne(t *testing.T) {
	a := assigner(t, Options{})
	uid := &http.Cookie{Name: "uid", Value: "4711"}
	for name, c := range map[string]struct {
		key  []migrations.KeySource
		has  []*http.Cookie
		want bool
	}{
		"not asked for":       {sources("cookie:uid"), nil, false},
		"better key":          {sources("cookie:uid", "anonymous"), []*http.Cookie{uid}, false},
		"better key missing":  {sources("cookie:uid", "anonymous"), nil, true},
		"worse key meanwhile": {sources("anonymous", "cookie:uid"), []*http.Cookie{uid}, true},
		"forged":              {sources("anonymous"), []*http.Cookie{{Name: "ficus_id", Value: strings.Repeat("A", 44)}}, true},
		"no keys":             {sources(), nil, false},
	} {
		in := visit(t, c.key, c.has...)
		if got := a.Cookie(in, a.Assign(t.Context(), in)); (got != nil) != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestForgedAnonymousCookiesAreNoKeys(t *testing.T) {
	a := assigner(t, Options{})
	good := a.anonymous.seal([idSize]byte{1, 2, 3})
	if _, _, ok := a.anonymous.open(good); !ok {
		t.Fatal("our own cookie is refused")
	}
	for i := range good {
		for _, c := range []byte("Aa0_-=.! \x00\xff") {
			if forged := good[:i] + string(c) + good[i+1:]; forged != good {
				if _, _, ok := a.anonymous.open(forged); ok {
					t.Fatalf("%q passes for %q", forged, good)
				}
			}
		}
	}
	journey := a.sealJourneys([]stop{{side: migrations.Modern, until: 1}})
	for _, value := range []string{"", good[:43], good + "A", good + "=", good[22:] + good[:22], journey, assigner(t, Options{}).anonymous.seal([idSize]byte{1})} {
		if _, _, ok := a.anonymous.open(value); ok {
			t.Errorf("%q passes", value)
		}
	}
}

func TestATossedCookieDoesNotHideTheRealOne(t *testing.T) {
	a := assigner(t, Options{})
	good := &http.Cookie{Name: "ficus_id", Value: a.anonymous.seal([idSize]byte{1})}
	bad := &http.Cookie{Name: "ficus_id", Value: strings.Repeat("A", 44)}
	if asg := a.Assign(t.Context(), visit(t, sources("anonymous"), bad, bad, good)); asg.Key == "" {
		t.Error("the real cookie was not found behind forged ones")
	}
	if asg := a.Assign(t.Context(), visit(t, sources("anonymous"), bad, bad, bad, bad, good)); asg.Key != "" {
		t.Error("the gateway looks at any number of forged cookies")
	}
}

func TestSecretsCanBeReplaced(t *testing.T) {
	before := assigner(t, Options{Secrets: [][]byte{secretA}})
	in := visit(t, sources("anonymous"))
	cookie := before.Cookie(in, before.Assign(t.Context(), in))
	old := before.Assign(t.Context(), visit(t, sources("anonymous"), cookie))

	during := assigner(t, Options{Secrets: [][]byte{secretB, secretA}})
	in = visit(t, sources("anonymous"), cookie)
	asg := during.Assign(t.Context(), in)
	if asg.Key != old.Key || asg.Bucket != old.Bucket {
		t.Errorf("the key changed with the secret: %+v, was %+v", asg, old)
	}
	fresh := during.Cookie(in, asg)
	if fresh == nil {
		t.Fatal("a cookie under the old secret is not signed anew")
	}

	after := assigner(t, Options{Secrets: [][]byte{secretB}})
	if asg := after.Assign(t.Context(), visit(t, sources("anonymous"), fresh)); asg.Key != old.Key {
		t.Errorf("signed anew, but the key is %q, was %q", asg.Key, old.Key)
	}
	if asg := after.Assign(t.Context(), visit(t, sources("anonymous"), cookie)); asg.Key != "" {
		t.Error("a secret that was taken away still counts")
	}
}

func TestACookieReadByABrowserComesBackTheSame(t *testing.T) {
	a := assigner(t, Options{})
	in := visit(t, sources("anonymous"))
	w := httptest.NewRecorder()
	http.SetCookie(w, a.Cookie(in, a.Assign(t.Context(), in)))
	in = visit(t, sources("anonymous"), w.Result().Cookies()...)
	if asg := a.Assign(t.Context(), in); asg.Key == "" {
		t.Errorf("%q does not come back", w.Header())
	}
}
