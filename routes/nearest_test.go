package routes

import (
	"testing"

	"pgregory.net/rapid"
)

func TestNearestWord(t *testing.T) {
	known := []string{"orders", "monolith", "trusted_proxies", "url", "path", "from"}
	for word, want := range map[string]string{
		"order": "orders", "oders": "orders", "ordres": "orders", "ORDERS": "orders", "trustedProxies": "trusted_proxies",
		"trusted-proxies": "trusted_proxies", "ulr": "url", "pth": "path", "form": "from", "mono": "monolith",
		"kubernetes": "", "x": "", "": "",
	} {
		if got := nearest(word, known); got != want {
			t.Errorf("nearest(%q) is %q, want %q", word, got, want)
		}
	}
}

func TestDistanceIsSymmetricAndZeroOnlyForEquals(t *testing.T) {
	word := rapid.StringMatching(`[a-d]{0,8}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		d := distance(a, b, 100)
		if d != distance(b, a, 100) || (d == 0) != (a == b) || d > max(len(a), len(b)) {
			t.Fatalf("distance(%q, %q) = %d", a, b, d)
		}
	})
}
