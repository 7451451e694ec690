package notify

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

func TestASignatureHoldsForItsBodyAndItsTimeOnly(t *testing.T) {
	secret, body, now := []byte("0123456789abcdef"), []byte(`{"text":"x"}`), time.Unix(1_772_366_401, 0)
	signature := sign(secret, body, now)
	// openssl: printf '1772366401.{"text":"x"}' | openssl dgst -sha256 -hmac 0123456789abcdef
	const want = "t=1772366401,v1=b1613b81fb1bdb9c9af4cfe633dd0f11d69435a656c318c232501747f5f4805c"
	if signature != want {
		t.Errorf("%s, want %s", signature, want)
	}
	if err := Verify(secret, signature, body, now.Add(4*time.Minute)); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"another body":     Verify(secret, signature, []byte(`{"text":"y"}`), now),
		"another secret":   Verify([]byte("fedcba9876543210"), signature, body, now),
		"an old one":       Verify(secret, signature, body, now.Add(6*time.Minute)),
		"a future one":     Verify(secret, signature, body, now.Add(-6*time.Minute)),
		"another time":     Verify(secret, strings.Replace(signature, "t=1", "t=2", 1), body, now),
		"nothing":          Verify(secret, "", body, now),
		"no hex":           Verify(secret, "t=1772366401,v1=xyz", body, now),
		"half a signature": Verify(secret, "t=1772366401", body, now),
	} {
		if !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whoever adds a kind of event says how it is told.
func TestEveryKindOfEventHasItsWords(t *testing.T) {
	for _, kind := range migrations.Kinds {
		n := OfEvent(migrations.Event{Seq: 7, Migration: "orders", Cell: "eu", Kind: kind, Split: migrations.All(migrations.Shadow), Step: 2, Steps: 4, Actor: "ada", Reason: "because"})
		what, ok := strings.CutPrefix(n.Text, "orders/eu: ")
		what, also := strings.CutSuffix(what, " by ada: because")
		if !ok || !also || what == "" || what == string(kind) && kind != migrations.Retired && kind != migrations.Frozen {
			t.Errorf("%s: %q", kind, n.Text)
		}
	}
	if n := OfEvent(migrations.Event{Migration: migrations.Every, Kind: migrations.Frozen, Actor: "ada", Reason: "an audit"}); n.Text != "all migrations: frozen by ada: an audit" {
		t.Error(n.Text)
	}
}
