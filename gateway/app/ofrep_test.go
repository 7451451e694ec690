package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	sdk "github.com/open-feature/go-sdk-contrib/providers/ofrep"
	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/ofrep"
	"github.com/ficus-gateway/ficus/migrations"
)

// An asked is an answer by OFREP.
type asked struct {
	status          int
	Key, Value      string
	Reason, Variant string
	ErrorCode       string
	Metadata        struct{ Migration, Side, Writes string }
	Flags           []asked
	etag, allowed   string
	ErrorDetails    string
}

// evaluate asks a listener for a flag; all of them without one.
func evaluate(t testing.TB, client *http.Client, url, flag, about string, header ...string) (a asked) {
	t.Helper()
	if flag != "" {
		flag = "/" + flag
	}
	q, err := http.NewRequest("POST", url+"/ofrep/v1/evaluate/flags"+flag, strings.NewReader(`{"context": `+about+`}`))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	res, err := client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 0 {
		if err := json.NewDecoder(bytes.NewReader(text)).Decode(&a); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	a.status, a.etag, a.allowed = res.StatusCode, res.Header.Get("ETag"), res.Header.Get("Access-Control-Allow-Origin")
	return a
}

// sideName is the application that answers for a side.
var sideName = map[string]string{"legacy": "monolith", "modern": "orders"}

// TestTheEdgeAndOFREPAgree: for 10,000 keys, whoever decides, after a rollback
// too, and for people in cohorts and cells.
func TestTheEdgeAndOFREPAgree(t *testing.T) {
	t.Parallel()
	keys := full(10_000, 400) // over sockets
	agree := func(t *testing.T, r *running, keys int) (modern int) {
		t.Helper()
		var wait sync.WaitGroup
		var mu sync.Mutex
		for part := range 4 {
			edge, own := browser(t), browser(t)
			wait.Go(func() {
				for i := part; i < keys; i += 4 {
					key := fmt.Sprint("user-", i)
					if i%100 == 0 {
						key = strings.Repeat(key, 30) // longer than a key may be
					}
					a, got := evaluate(t, own, r.admin, "orders", fmt.Sprintf(`{"targetingKey": %q}`, key)), r.sideOf(edge, key)
					if a.status != 200 || sideName[a.Metadata.Side] != got {
						t.Errorf("%s: OFREP says %+v, and %s answers", key, a, got)
						return
					}
					if got == "orders" {
						mu.Lock()
						modern++
						mu.Unlock()
					}
				}
			})
		}
		wait.Wait()
		return modern
	}
	t.Run("the log", func(t *testing.T) {
		t.Parallel()
		r := start(t, fmt.Sprintf(byFlags, "builtin", named(t, "monolith"), named(t, "orders")))
		if _, err := r.client.Shift(t.Context(), "orders", []migrations.Share{{Stage: migrations.Live, Buckets: 37_000}, {Stage: migrations.Shadow, Buckets: 40_000}}, "why", r.orders().Seq); err != nil {
			t.Fatal(err)
		}
		if n := agree(t, r, keys); n < keys*30/100 || n > keys*44/100 {
			t.Errorf("%d of %d are on the service, want 37 %%", n, keys)
		}
		for i := range 10_000 { // the whole number, by the code that decides, nothing being sent
			key := fmt.Sprint("user-", i)
			x, err := r.explain(t.Context(), dashboard.ExplainRequest{URL: "/orders/7", Header: http.Header{"X-User": {key}}})
			a, ok := r.asked().Evaluate(t.Context(), "orders", ofrep.Subject{Key: key, Request: &http.Request{}})
			if err != nil || !ok || a.Value != string(x.Stage) || a.Metadata["side"] != string(x.Side) || a.Reason != x.Reason {
				t.Fatalf("%s: the edge says %+v, OFREP %+v", key, x, a)
			}
		}
		if _, err := r.client.Rollback(t.Context(), "orders", dashboard.RollbackRequest{Reason: "why"}); err != nil {
			t.Fatal(err)
		}
		if n := agree(t, r, 100); n != 0 {
			t.Errorf("%d after a rollback", n)
		}
	})
	t.Run("definitions", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		replace(t, filepath.Join(dir, "flags.json"), sharing(`["shadow", 20], ["live", 55], ["off", 25]`))
		r, err := tryStart(t, dir, fmt.Sprintf(byFlags, "file:flags.json", named(t, "monolith"), named(t, "orders")))
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the flag is in the log", func() bool { return r.orders().Flags.Controls == dashboard.ControlsShare })
		if n := agree(t, r, keys); n < keys*48/100 || n > keys*62/100 {
			t.Errorf("%d of %d are on the service, want 55 %%", n, keys)
		}
	})
}

// TestApplicationsAskByOFREP: with the provider of the SDK, about people in
// cohorts and cells, about all flags at once.
func TestApplicationsAskByOFREP(t *testing.T) {
	t.Parallel()
	r := start(t, fmt.Sprintf(anywhere+`
upstreams: {monolith: %s, orders: %s}
trusted_proxies: 127.0.0.1
ofrep: {listen: "127.0.0.1:0", token: 0123456789abcdef, origins: https://shop.example.com}
migrations:
  orders:
    {from: monolith, to: orders, key: "header:X-User", data: shared, writes: follow, cohorts: [{name: staff, when: {header: X-Staff, is: "1"}, stage: live}], cells: [{name: eu, when: {header: X-Region, is: eu}}]}
  carts: {from: monolith, to: orders, flag: baskets, key: "header:X-User"}
routes: [{path: /orders/*, migration: orders}, {path: /carts/*, migration: carts}, {path: /*, upstream: monolith}]
`, named(t, "monolith"), named(t, "orders")))
	client := browser(t)
	if a := evaluate(t, client, r.admin, "orders", `{"targetingKey": "alice"}`); a.status != 200 || a.Value != "off" || a.Metadata.Migration != "orders" || a.Metadata.Side != "legacy" || a.Metadata.Writes != "legacy" {
		t.Errorf("%+v", a)
	}
	if a := evaluate(t, client, r.admin, "orders", `{"targetingKey": "alice", "header": {"X-Staff": "1"}}`); a.Value != "live" || a.Reason != "TARGETING_MATCH" || a.Metadata.Writes != "modern" {
		t.Errorf("of staff: %+v", a)
	}
	if a := evaluate(t, client, r.admin, "carts", `{}`); a.status != 404 || a.ErrorCode != "FLAG_NOT_FOUND" {
		t.Errorf("by the id of a migration whose flag has another key: %+v", a)
	}
	if a := evaluate(t, client, r.admin, "baskets", `{}`); a.status != 200 || a.Value != "off" || a.Reason != "DEFAULT" {
		t.Errorf("without a key: %+v", a)
	}
	all := evaluate(t, client, r.admin, "", `{"targetingKey": "alice"}`)
	if len(all.Flags) != 2 || all.Flags[0].Key != "baskets" || all.Flags[1].Key != "orders" {
		t.Errorf("%+v", all)
	}
	if a := evaluate(t, client, r.admin, "", `{"targetingKey": "alice"}`, "If-None-Match", all.etag); a.status != 304 {
		t.Errorf("nothing has changed: %+v", a)
	}
	if _, err := r.client.ShiftCell(t.Context(), "orders", "eu", []migrations.Share{{Stage: migrations.Complete, Buckets: migrations.Buckets}}, "the first region", r.orders().Seq); err != nil {
		t.Fatal(err)
	}
	if a := evaluate(t, client, r.admin, "orders", `{"targetingKey": "alice", "header": {"X-Region": "eu"}}`); a.Value != "complete" {
		t.Errorf("of the cell: %+v", a)
	}
	if a := evaluate(t, client, r.admin, "orders", `{"targetingKey": "alice"}`); a.Value != "off" {
		t.Errorf("of the rest: %+v", a)
	}

	own := "http://" + r.AdminAddrs()[1].String()
	if a := evaluate(t, client, own, "orders", `{}`); a.status != 401 {
		t.Errorf("without a token: %+v", a)
	}
	if a := evaluate(t, client, own, "orders", `{}`, "X-API-Key", "0123456789abcdef", "Origin", "https://shop.example.com"); a.status != 200 || a.allowed != "https://shop.example.com" {
		t.Errorf("from a page: %+v", a)
	}
	if res, err := client.Get(own + "/api/state"); err != nil || res.StatusCode < 400 {
		t.Errorf("the listener of applications serves more than flags: %v %v", res, err)
	}
	res, err := client.Post(r.url+"/ofrep/v1/evaluate/flags/orders", "application/json", strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if text, _ := io.ReadAll(res.Body); !strings.HasPrefix(string(text), "monolith ") {
		t.Errorf("the public path space belongs to the monolith, and the answer is %s", text)
	}

	api := isolated.NewAPI()
	if err := api.SetProviderAndWait(context.Background(), sdk.NewProvider(own, sdk.WithBearerToken("0123456789abcdef"))); err != nil {
		t.Fatal(err)
	}
	d, err := api.NewClient().StringValueDetails(t.Context(), "orders", "none", openfeature.NewEvaluationContext("alice", map[string]any{"header": map[string]any{"X-Staff": "1"}}))
	if err != nil || d.Value != "live" || d.Reason != openfeature.TargetingMatchReason {
		t.Errorf("the SDK: %+v, %v", d, err)
	}
	if metadata, err := d.FlagMetadata.GetString("side"); err != nil || metadata != "modern" {
		t.Errorf("its metadata: %+v, %v", d.FlagMetadata, err)
	}
}
