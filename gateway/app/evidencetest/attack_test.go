package evidencetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
)

// attacker is the network that all attacks come from.
const attacker = 240

// attacked are services that are as good as the monolith, and that a stranger
// from one network wants to see rolled back, held, or kept where they are.
var attacked = []fault{
	{name: "half bodies with keys on the service at 5 %", live: 5, during: attacks("modern", 48, halfGET), verdict: untouched, requests: 3500},
	{name: "half bodies with keys on the service at 50 %", live: 50, during: attacks("modern", 48, halfGET), verdict: untouched, requests: 3500, quick: true},
	{name: "poison with keys on the service at 5 %", live: 5, during: attacks("modern", 300, poison), verdict: untouched, requests: 2500},
	{name: "poison with keys on the service at 50 %", live: 50, during: attacks("modern", 300, poison), verdict: untouched, requests: 2500, quick: true},
	{name: "missing pages with keys on the service", live: 50, during: attacks("modern", 300, missing), verdict: untouched, requests: 2500},
	{name: "poison with random keys", live: 50, during: attacks("", 300, poison), verdict: untouched, requests: 2500},
	{name: "a bot with random keys", live: 25, guests: []visits{{seed: 78, workers: 4, call: bot}}, verdict: untouched, requests: 2500},
	{name: "poison with random keys before an outage", live: 5, during: attacks("", 300, poison), verdict: untouched, requests: 2500, then: status(500)},
	{name: "poison with keys on the monolith before an outage", live: 25, during: attacks("legacy", 300, poison), verdict: untouched, requests: 2500, then: status(500)},
	{name: "missing pages with keys on the monolith before an outage", live: 25, during: attacks("legacy", 300, missing), verdict: untouched, requests: 2500, then: status(404)},
}

// attacks sends requests whose keys the attacker has chosen, so that they are
// on one side: of each it was seen who answers.
func attacks(side string, times int, with func(key string) call) func(context.Context, *trial) {
	return func(ctx context.Context, tr *trial) {
		sent := 0
		limit := make(chan struct{}, 16)
		for i := 0; sent < times && ctx.Err() == nil; i++ {
			key := fmt.Sprintf("mallory %d", i)
			if side != "" {
				e, err := tr.client.Explain(ctx, dashboard.ExplainRequest{Method: http.MethodGet, URL: "/shop/cart", Header: http.Header{"X-User": {key}}})
				if err != nil {
					if ctx.Err() == nil {
						tr.t.Error(err)
					}
					return
				}
				if string(e.Side) != side {
					continue
				}
			}
			sent++
			c := with(key)
			c.network = attacker
			limit <- struct{}{}
			go func() {
				defer func() { <-limit }()
				tr.street.ask(ctx, 1<<42+i, c)
			}()
		}
		for range cap(limit) {
			limit <- struct{}{}
		}
		tr.t.Logf("the attacker has made %d requests", sent)
	}
}

func halfGET(key string) call {
	return odd(call{key: key, method: http.MethodGet, path: "/shop/cart"}, half(1200*time.Millisecond))
}

func poison(key string) call { return call{key: key, method: http.MethodGet, path: "/shop/poison"} }

func missing(key string) call {
	return call{key: key, method: http.MethodGet, path: "/shop/missing/wp.php"}
}

// bot is one network with another key for each request, which asks for what
// neither side can answer.
func bot(r *rand.Rand, n, user int) call {
	c := poisons(0.5)(r, n, user)
	c.key, c.network = fmt.Sprintf("bot %x", r.Uint64()), attacker
	return c
}
