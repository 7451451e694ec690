package outside

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
)

// A service answers as a flag service that speaks OFREP does.
func service(t *testing.T, answer http.HandlerFunc) *Provider {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	s := OFREP{URL: server.URL + "/flags", Token: "s3cr3t", Headers: map[string]string{"X-Tenant": "shop"}}
	p := New(s.Provider(8), Options{Fresh: 5 * time.Millisecond, Timeout: time.Second})
	if err := p.Init(openfeature.EvaluationContext{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Shutdown)
	for !p.begun.Load() {
		time.Sleep(time.Millisecond)
	}
	return p
}

func TestAFlagServiceIsAskedByOFREP(t *testing.T) {
	p := service(t, func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Context map[string]any }
		err := json.NewDecoder(r.Body).Decode(&body)
		if err != nil || r.Method != "POST" || r.URL.Path != "/flags/ofrep/v1/evaluate/flags/orders" || r.Header.Get("Authorization") != "Bearer s3cr3t" ||
			r.Header.Get("X-Tenant") != "shop" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s, %v, %v", r.Method, r.URL, r.Header, err)
		}
		fmt.Fprintf(w, `{"key": "orders", "value": %q, "variant": "on", "reason": "SPLIT", "metadata": {"version": 7}}`, map[any]string{"alice": "live", "bob": "off"}[body.Context["targetingKey"]])
	})
	if got := eval(p, "alice") + eval(p, "bob"); got != "liveoff" {
		t.Errorf("%q", got)
	}
	view, err := p.Look(context.Background(), "orders")
	if err != nil || view.Version != "7" || !view.Own {
		t.Errorf("%+v, %v", view, err)
	}
}

func TestWhatAFlagServiceMayAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   string // for somebody who has never been answered
	}{
		"no such flag":     {404, `{"key": "orders", "errorCode": "FLAG_NOT_FOUND"}`, "FLAG_NOT_FOUND"},
		"bad rule":         {400, `{"key": "orders", "errorCode": "PARSE_ERROR", "errorDetails": "oh"}`, "PARSE_ERROR"},
		"no key":           {400, `{"key": "orders", "errorCode": "TARGETING_KEY_MISSING"}`, "TARGETING_KEY_MISSING"},
		"unauthorized":     {401, ``, "GENERAL"},
		"too many":         {429, ``, "GENERAL"},
		"broken":           {500, `{"errorDetails": "oh"}`, "GENERAL"},
		"a bad gateway":    {502, `<html>`, "GENERAL"},
		"not JSON":         {200, `<html>`, "PARSE_ERROR"},
		"another type":     {200, `{"key": "orders", "value": true, "reason": "STATIC"}`, "TYPE_MISMATCH"},
		"disabled":         {200, `{"key": "orders", "value": "off", "reason": "DISABLED"}`, "default"},
		"a gigabyte":       {200, `{"key": "orders", "value": "` + strings.Repeat("live", 1<<20) + `"}`, "GENERAL"},
		"a redirect":       {307, ``, "GENERAL"},
		"metadata no map":  {200, `{"key": "orders", "value": "live", "metadata": 7}`, "PARSE_ERROR"},
		"nothing at all":   {200, ``, "PARSE_ERROR"},
		"nonsense is none": {200, `{"key": "orders", "value": "live", "reason": "` + strings.Repeat("x", 1000) + `", "variant": "` + strings.Repeat("y", 1000) + `"}`, "live"},
	} {
		t.Run(name, func(t *testing.T) {
			var good atomic.Bool
			p := service(t, func(w http.ResponseWriter, r *http.Request) {
				if good.Load() {
					io.WriteString(w, `{"key": "orders", "value": "shadow", "reason": "STATIC"}`)
					return
				}
				w.Header().Set("Location", "http://"+r.Host+"/elsewhere")
				w.WriteHeader(c.status)
				io.WriteString(w, c.body)
			})
			if got := eval(p, "alice"); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			good.Store(true)
			if got := eval(p, "bob"); got != "shadow" {
				t.Fatalf("%q", got)
			}
			good.Store(false)
			time.Sleep(10 * time.Millisecond)
			for range 3 {
				if got := eval(p, "bob"); got != "shadow" && c.want != "default" && c.want != "live" {
					t.Errorf("bob was in shadow, and is %q", got)
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
}
