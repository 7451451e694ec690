package flags

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ficus-gateway/ficus/migrations"
)

// browse sends a request with cookies and returns the assignment, and the
// cookies that the browser has after it.
func browse(t *testing.T, a *Assigner, plan *migrations.Plan, jar map[string]string) Assignment {
	t.Helper()
	r, err := http.NewRequest("GET", "/api/orders", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	in := &Input{Plan: plan, State: &migrations.Migration{ID: plan.ID, Split: migrations.Split{{Stage: migrations.Live, Buckets: 50_000}, {Stage: migrations.Off, Buckets: 50_000}}}, Request: r, Safe: true}
	asg := a.Assign(t.Context(), in)
	for _, c := range []*http.Cookie{a.Cookie(in, asg), a.SessionCookie(in, asg)} {
		if c != nil {
			if c.Name == SessionCookie && (c.MaxAge != 0 || !c.HttpOnly) {
				t.Errorf("the session cookie is %s, which does not end with the session", c)
			}
			jar[c.Name] = c.Value
		}
	}
	return asg
}

func TestABrowserKeepsItsKeyUntilItsSessionEnds(t *testing.T) {
	a, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	plan := &migrations.Plan{ID: "orders", Key: []migrations.KeySource{{Kind: migrations.KeyCookie, Name: "uid"}, {Kind: migrations.KeyAnonymous}}}
	jar := map[string]string{}
	if asg := browse(t, a, plan, jar); asg.Key != "" {
		t.Fatalf("the first visit has the key %q", asg.Key)
	}
	anonymous := browse(t, a, plan, jar)
	jar["uid"] = "42" // logs in
	for range 3 {
		if asg := browse(t, a, plan, jar); asg.Key != anonymous.Key || asg.Bucket != anonymous.Bucket || asg.Source != anonymous.Source || !asg.Verified {
			t.Fatalf("after logging in the assignment is %+v, before %+v", asg, anonymous)
		}
	}
	delete(jar, SessionCookie) // the session ends
	user := browse(t, a, plan, jar)
	if user.Key != "42" || user.Verified {
		t.Fatalf("in a new session the key is %q", user.Key)
	}
	delete(jar, "uid") // logs out
	if asg := browse(t, a, plan, jar); asg.Key != "42" || asg.Verified || asg.Bucket != user.Bucket {
		t.Fatalf("after logging out the assignment is %+v", asg)
	}
}

func TestASessionCookieIsWorthNothingUnlessItIsOurs(t *testing.T) {
	a, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	plan := &migrations.Plan{ID: "orders", Key: []migrations.KeySource{{Kind: migrations.KeyCookie, Name: "uid"}, {Kind: migrations.KeyAnonymous}}}
	good := a.sealSession(Assignment{Key: "42", Source: plan.Key[0]})
	other, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for name, value := range map[string]string{
		"cut":           good[:len(good)-1],
		"empty":         "",
		"no tag":        strings.Split(good, ".")[0],
		"changed":       "A" + good[1:],
		"of another":    other.sealSession(Assignment{Key: "42", Source: plan.Key[0]}),
		"not asked for": a.sealSession(Assignment{Key: "42", Source: migrations.KeySource{Kind: migrations.KeyCookie, Name: "sid"}}),
		"long":          strings.Repeat("A", 1<<16) + "." + strings.Repeat("A", idText),
		"an anonymous":  a.anonymous.seal([idSize]byte{1}),
	} {
		t.Run(name, func(t *testing.T) {
			if asg := browse(t, a, plan, map[string]string{SessionCookie: value, "uid": "7"}); asg.Key != "7" {
				t.Errorf("the key is %q", asg.Key)
			}
		})
	}
	bare := &migrations.Plan{ID: "orders", Key: plan.Key[:1]} // the list allows no cookie
	jar := map[string]string{SessionCookie: good, "uid": "7"}
	if asg := browse(t, a, bare, jar); asg.Key != "7" || len(jar) != 2 {
		t.Errorf("without anonymous in the list the key is %q, the cookies %v", asg.Key, jar)
	}
}

func TestASessionCookieHoldsAnyKey(t *testing.T) {
	a, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for _, key := range []string{"42", "a.b!c", "a b+c%d", "größe", "x;y,\"z\"", strings.Repeat("é", maxKey/2)} {
		source := migrations.KeySource{Kind: migrations.KeyHeader, Name: "X-User"}
		in := &Input{Plan: &migrations.Plan{Key: []migrations.KeySource{source, {Kind: migrations.KeyAnonymous}}}}
		value := a.sealSession(Assignment{Key: key, Source: source, Verified: true})
		if strings.ContainsAny(value, " ;,\"\\") {
			t.Errorf("%q is no value of a cookie", value)
		}
		if k, ok := a.openSession(in, value); !ok || k.text != key || k.source != source || !k.verified {
			t.Errorf("%q opens as %+v", key, k)
		}
	}
}

func FuzzSessionCookie(f *testing.F) {
	a, err := New(Options{})
	if err != nil {
		f.Fatal(err)
	}
	source := migrations.KeySource{Kind: migrations.KeyCookie, Name: "uid"}
	in := &Input{Plan: &migrations.Plan{Key: []migrations.KeySource{source, {Kind: migrations.KeyAnonymous}}}}
	good := a.sealSession(Assignment{Key: "42", Source: source})
	f.Add("")
	f.Add(good)
	f.Add("0cookie%3Auid!42.AAAAAAAAAAAAAAAAAAAAAA")
	f.Add(strings.Repeat(".", 100))
	f.Fuzz(func(t *testing.T, value string) {
		if k, ok := a.openSession(in, value); ok && value != good {
			t.Errorf("%q opens as %+v", value, k)
		}
	})
}
