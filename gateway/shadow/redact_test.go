package shadow

import (
	"strings"
	"testing"
)

func TestTargetsKeepIdsAndLoseSecrets(t *testing.T) {
	for target, want := range map[string]string{
		"/orders/42": "/orders/42",
		"/orders/9f0c1d2e-0000-4000-8000-000000000001?page=2&q": "/orders/9f0c1d2e-0000-4000-8000-000000000001?page=REDACTED&REDACTED",
		"/a?token=hunter2&b=":                           "/a?token=REDACTED&b=REDACTED",
		"/cart;jsessionid=hunter2;hunter2/x":            "/cart;jsessionid=REDACTED;REDACTED/x",
		"http://ada:hunter2@shop.example/orders?x=y":    "/orders?x=REDACTED",
		"/users/ada@example.org/mail/ada%40example.org": "/users/REDACTED/mail/REDACTED",
		"/reset/eyJhbGciOiJub25lIn0.e30.":               "/reset/REDACTED",
		"/reset/" + strings.Repeat("f", 41):             "/reset/REDACTED",
		"/" + strings.Repeat("a/", 600):                 "/" + strings.Repeat("a/", 511) + "a…",
		"*":                                             "*",
	} {
		if got := Redact(target); got != want {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
	}
}
