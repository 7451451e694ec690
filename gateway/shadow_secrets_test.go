package gateway

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

// planted are secrets of twenty kinds, as answers and requests hold them.
var planted = map[string]string{
	"password":        "hunter2-correct-horse",
	"api key":         "sk_live_51H8xPlantedKey",
	"jwt":             "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwbGFudGVkIn0.c2lnbmF0dXJlLXBsYW50ZWQ",
	"card":            "4242424242424242",
	"cvc in text":     "the code is 737-planted",
	"iban":            "DE89370400440532013000",
	"social security": "078-05-1120",
	"mail":            "planted.person@example.org",
	"phone":           "+49 30 9018 20777",
	"address":         "Invalidenstraße 44, planted",
	"birthday":        "1984-07-19T05:06:07Z",
	"session":         "9f8e7d6c5b4a-planted-session",
	"csrf token":      "csrf-planted-a8d5f0",
	"basic auth":      "Basic cGxhbnRlZDpzZWNyZXQ=",
	"private key":     "-----BEGIN PRIVATE KEY----- planted",
	"aws key":         "AKIAPLANTED0000000000",
	"uuid":            "6f1b1c1e-5ec2-4ead-9999-00000000abcd",
	"health":          "diagnosis: planted influenza",
	"salary":          "123456.78",
	"name":            "Planted Mustermann",
}

// Both sides differ in every planted value, so that all of them are in
// differences; none of them is in anything that is kept or said.
func TestNoSecretIsKept(t *testing.T) {
	serve := func(side string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: planted["session"] + side})
			w.Header().Set("X-Token", planted["api key"]+side)
			w.Header().Set("Location", "/reset?token="+planted["csrf token"]+side)
			var b strings.Builder
			b.WriteString("{")
			for name, secret := range planted {
				fmt.Fprintf(&b, "%q:%q,", name, secret+side)
			}
			fmt.Fprintf(&b, `"side":%q}`, side)
			fmt.Fprint(w, b.String())
		}
	}
	legacy, modern := httptest.NewServer(serve("a")), httptest.NewServer(serve("b"))
	defer legacy.Close()
	defer modern.Close()
	var log bytes.Buffer
	url, s := comparing(t, legacy.URL, modern.URL, migrations.Shadow,
		shadow.Options{MaskKey: []byte("a key of the marks"), Logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))},
		"compare: {keep: [$.side]}")
	for i := range 40 {
		request(t, "GET", url+fmt.Sprintf("/api/orders/%d?key=%s&mail=%s", i, planted["aws key"], "planted.person%40example.org"), nil,
			"Authorization", planted["basic auth"], "Cookie", "sid="+planted["session"], "X-User", planted["name"])
	}
	settled(t, s)
	file := filepath.Join(t.TempDir(), "ficus.findings")
	if err := s.Save(file); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, []byte(`"text":"a"`)) {
		t.Errorf("what the rules keep is not kept; the file begins with %.500s", text)
	}
	found := 0
	s.Find("orders").View(func(study *compare.Study) { found = len(study.Findings.All(time.Now())) })
	if found == 0 {
		t.Error("nothing was found, so nothing was shown")
	}
	for name, secret := range planted {
		for where, written := range map[string][]byte{"findings": text, "log": log.Bytes()} {
			if bytes.Contains(written, []byte(secret)) {
				t.Errorf("the %s are told the %s", where, name)
			}
		}
	}
}
