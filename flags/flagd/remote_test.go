package flagd

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// What is sent to one host is not sent to another that it leads to.
func TestARedirectTakesNoSecretAlong(t *testing.T) {
	var got http.Header
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		_, _ = w.Write([]byte(rollout))
	}))
	defer other.Close()
	first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Api-Key") != "s3cr3t" || r.Header.Get("Authorization") != "Bearer s3cr3t" {
			t.Errorf("the host that was meant got %v", r.Header)
		}
		http.Redirect(w, r, other.URL, http.StatusFound)
	}))
	defer first.Close()
	p, err := Open(t.Context(), first.URL, Options{Header: http.Header{"X-Api-Key": {"s3cr3t"}, "Authorization": {"Bearer s3cr3t"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if p.Definition() == nil || got == nil || got.Get("X-Api-Key") != "" || got.Get("Authorization") != "" {
		t.Errorf("%v, and the other host got %v", p.Last().Err, got)
	}
}
