package flags

import (
	"context"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/memprovider"

	"github.com/ficus-gateway/ficus/flags/flagd"
	"github.com/ficus-gateway/ficus/migrations"
)

// byMail moves people of one domain, and of one network.
const byMail = `{"flags": {"orders": {
	"state": "ENABLED", "variants": {"off": "off", "live": "live", "shadow": "shadow"}, "defaultVariant": "off",
	"targeting": {"if": [
		{"ends_with": [{"var": "email"}, "@example.com"]}, "live",
		{"==": [{"var": "address"}, "192.0.2.1"]}, "shadow"
	]}}}}`

var mailAttributes = []Attribute{
	{Name: "email", From: migrations.KeySource{Kind: migrations.KeyHeader, Name: "X-Email"}},
	{Name: "address", From: migrations.KeySource{Kind: migrations.KeyIP}},
}

// mailInput is the request of somebody in that domain.
func mailInput() *Input {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("X-Email", "alice@example.com")
	r.Header.Set("X-User", "7")
	return &Input{
		Plan:    &migrations.Plan{ID: "orders", Key: []migrations.KeySource{{Kind: migrations.KeyHeader, Name: "X-User"}}},
		State:   &migrations.Migration{Split: migrations.All(migrations.Off)},
		Request: r, Client: netip.MustParseAddr("192.0.2.7"), Safe: true, Trusted: true,
	}
}

func flagdProvider(t testing.TB, text string) *flagd.Provider {
	t.Helper()
	d, err := flagd.Parse("flags.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return flagd.New(d)
}

// Law 11: what a rule makes a cohort of counts on the word of a trusted proxy.
func TestAttributesCountFromTrustedProxies(t *testing.T) {
	told := func(flag memprovider.InMemoryFlag, eval openfeature.FlattenedContext) (any, openfeature.ProviderResolutionDetail) {
		if eval["email"] == "alice@example.com" {
			return "live", openfeature.ProviderResolutionDetail{Reason: openfeature.TargetingMatchReason}
		}
		if eval["address"] == "192.0.2.1" {
			return "shadow", openfeature.ProviderResolutionDetail{Reason: openfeature.TargetingMatchReason}
		}
		return "off", openfeature.ProviderResolutionDetail{Reason: openfeature.DefaultReason}
	}
	for name, p := range map[string]openfeature.FeatureProvider{
		"asks by itself": flagdProvider(t, byMail),
		"is told":        memprovider.NewInMemoryProvider(map[string]memprovider.InMemoryFlag{"orders": {State: memprovider.Enabled, ContextEvaluator: &told}}),
	} {
		a := assigner(t, Options{Provider: p, Attributes: mailAttributes})
		ready(t, a)
		in := mailInput()
		if asg := a.Assign(context.Background(), in); asg.Stage != migrations.Live || asg.Said != migrations.Live {
			t.Errorf("%s: a trusted proxy names the address, and the stage is %+v", name, asg)
		}
		in.Trusted = false
		if asg := a.Assign(context.Background(), in); asg.Stage != migrations.Off {
			t.Errorf("%s: a client names its own address, and the stage is %+v", name, asg)
		}
		in.Client = netip.MustParseAddr("192.0.2.1")
		if asg := a.Assign(context.Background(), in); asg.Stage != migrations.Shadow {
			t.Errorf("%s: the client's own network address counts, and the stage is %+v", name, asg)
		}
	}
}

// BenchmarkAssignFlagd asks a rule and a fractional operation, by an attribute
// that a header has.
func BenchmarkAssignFlagd(b *testing.B) {
	a := assigner(b, Options{Provider: flagdProvider(b, `{"flags": {"orders": {
	"state": "ENABLED", "variants": {"off": "off", "live": "live", "shadow": "shadow"}, "defaultVariant": "off",
	"targeting": {"if": [{"ends_with": [{"var": "email"}, "@example.com"]}, "live", {"fractional": [["live", 5], ["shadow", 95]]}]}}}}`), Attributes: mailAttributes})
	in := mailInput()
	in.Request.Header.Set("X-Email", "alice@example.org")
	ctx := context.Background()
	if asg := a.Assign(ctx, in); asg.Err != "" {
		b.Fatal(asg.Err)
	}
	b.ReportAllocs()
	for b.Loop() {
		a.Assign(ctx, in)
	}
}

// What a rule and a fractional operation may cost, the search for key and
// attribute included.
func TestFlagdAssignmentAllocatesLittle(t *testing.T) {
	a := assigner(t, Options{Provider: flagdProvider(t, `{"flags": {"orders": {
	"state": "ENABLED", "variants": {"off": "off", "live": "live", "shadow": "shadow"}, "defaultVariant": "off",
	"targeting": {"if": [{"ends_with": [{"var": "email"}, "@example.com"]}, "live", {"fractional": [["live", 5], ["shadow", 95]]}]}}}}`), Attributes: mailAttributes})
	in := mailInput()
	in.Request.Header.Set("X-Email", "alice@example.org")
	if n := testing.AllocsPerRun(100, func() { a.Assign(context.Background(), in) }); n > 12 && !poolsLeak {
		t.Errorf("%v allocations, and 12 are allowed", n)
	}
}
