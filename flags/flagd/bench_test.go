package flagd

import (
	"context"
	"testing"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"
)

// rollout has one rule and, for everybody else, a fractional operation.
const rollout = `{
  "flags": {
    "orders": {
      "state": "ENABLED",
      "variants": {"off": "off", "shadow": "shadow", "live": "live"},
      "defaultVariant": "off",
      "targeting": {
        "if": [
          {"in": [{"var": "targetingKey"}, ["alice", "bob"]]}, "live",
          {"fractional": [["live", 5], ["shadow", 95]]}
        ]
      }
    },
    "by-mail": {
      "state": "ENABLED",
      "variants": {"off": "off", "shadow": "shadow", "live": "live"},
      "defaultVariant": "off",
      "targeting": {
        "if": [
          {"ends_with": [{"var": "email"}, "@example.com"]}, "live",
          {"fractional": [["live", 5], ["shadow", 95]]}
        ]
      }
    }
  }
}`

// client asks a provider as anybody does, through an API of its own.
func client(t testing.TB, p openfeature.FeatureProvider) *openfeature.Client {
	t.Helper()
	api := isolated.NewAPI()
	if err := api.SetProviderAndWait(context.Background(), p); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := api.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return api.NewClient()
}

func parse(t testing.TB, text string) *Definition {
	t.Helper()
	d, err := Parse("flags.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// BenchmarkEvaluate asks with what the gateway gives, a targeting key, and
// with an attribute.
func BenchmarkEvaluate(b *testing.B) {
	d := parse(b, rollout)
	c, ctx := client(b, New(d)), context.Background()
	key := openfeature.NewEvaluationContext("4711", nil)
	mail := openfeature.NewEvaluationContext("4711", map[string]any{"email": "someone@example.org"})
	b.Run("key", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.String(ctx, "orders", "off", key)
		}
	})
	b.Run("attribute", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.String(ctx, "by-mail", "off", mail)
		}
	})
	b.Run("provider", func(b *testing.B) {
		p, flat := New(d), openfeature.FlattenedContext{"targetingKey": "4711", "email": "someone@example.org"}
		b.ReportAllocs()
		for b.Loop() {
			p.StringEvaluation(ctx, "by-mail", "off", flat)
		}
	})
}
