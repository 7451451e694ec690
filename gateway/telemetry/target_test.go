package telemetry

import (
	"strings"
	"testing"
)

func TestOnlyThePathOfATargetIsTold(t *testing.T) {
	for target, want := range map[string]string{
		"/":                         "/",
		"/a/b":                      "/a/b",
		"/a?token=hunter2":          "/a",
		"/a?":                       "/a",
		"//a/../b%2Fc":              "//a/../b%2Fc",
		"*":                         "*",
		"example.com:443":           "example.com:443",
		"u:hunter2@example.com:443": "example.com:443",
		"http://u:hunter2@h/a?b":    "/a",
		"http://h":                  "/",
		"http://h?x=http://i/j":     "/",
		"/cart;jsessionid=A1/x;y=2": "/cart;jsessionid=REDACTED/x;y=REDACTED",
		"/a;b":                      "/a;b",
		"":                          "",
	} {
		if got := targetPath(target); got != want {
			t.Errorf("targetPath(%q) = %q, want %q", target, got, want)
		}
	}
}

func TestClipKeepsWholeRunes(t *testing.T) {
	if got := clip("aé", 2); got != "a…" {
		t.Errorf("got %q", got)
	}
	if got := clip(strings.Repeat("x", 10), 10); got != "xxxxxxxxxx" {
		t.Errorf("got %q", got)
	}
}

func FuzzTargetPathHidesTheQuery(f *testing.F) {
	f.Add("/a?b=c")
	f.Add("http://u:p@h/a;b=c")
	f.Fuzz(func(t *testing.T, target string) {
		if got := targetPath(target); strings.Contains(got, "?") {
			t.Errorf("targetPath(%q) = %q", target, got)
		}
	})
}
