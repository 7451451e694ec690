package flags

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
)

func b64(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func TestClaims(t *testing.T) {
	const payload = `{"sub":"u-1","n":42,"big":9007199254740993,"org":{"id":"o-1","deep":{"er":"d"}},"org.id":"flat","https://x.example/uid":"url","a":{"b.c":"inner"},"yes":true,"nil":null,"list":["x"],"e":"","esc":"\u00e9\n"}`
	for path, want := range map[string]string{
		"sub": "u-1", "n": "42", "big": "9007199254740993", "org.id": "flat", "org.deep.er": "d",
		"https://x.example/uid": "url", "a.b.c": "inner", "esc": "é\n",
		"yes": "", "nil": "", "list": "", "e": "", "org": "", "sub.x": "", "": "", ".": "", "org.": "", "Sub": "",
	} {
		if got := claim(http.Header{"Authorization": {"Bearer e30." + b64(payload) + ".c2ln"}}, path); got != want {
			t.Errorf("claim %q = %q, want %q", path, got, want)
		}
	}
}

func TestWhatIsNoTokenHasNoClaims(t *testing.T) {
	good := b64(`{"sub":"u"}`)
	for name, c := range map[string]struct{ header, want string }{
		"bearer":           {"Bearer h." + good + ".s", "u"},
		"any case, spaces": {"bEARER   h." + good + ".s", "u"},
		"unsigned":         {"Bearer h." + good + ".", "u"},
		"padded":           {"Bearer h." + base64.URLEncoding.EncodeToString([]byte(`{"sub":"u"}`)) + ".s", "u"},
		"nothing":          {"", ""},
		"basic":            {"Basic h." + good + ".s", ""},
		"opaque":           {"Bearer abcdef", ""},
		"two parts":        {"Bearer h." + good, ""},
		"not base64":       {"Bearer h.!!!.s", ""},
		"not JSON":         {"Bearer h." + b64("hello") + ".s", ""},
		"not an object":    {"Bearer h." + b64(`["sub"]`) + ".s", ""},
		"cut short":        {"Bearer h." + b64(`{"sub":"u"`) + ".s", ""},
		"said twice":       {"Bearer h." + b64(`{"sub":"u","sub":"v"}`) + ".s", ""},
		"too long":         {"Bearer h." + b64(`{"sub":"u","pad":"`+strings.Repeat("x", maxToken)+`"}`) + ".s", ""},
		"deep":             {"Bearer h." + b64(strings.Repeat(`{"sub":`, 1500)+"1"+strings.Repeat("}", 1500)) + ".s", ""},
	} {
		h := http.Header{}
		if c.header != "" {
			h.Set("Authorization", c.header)
		}
		if got := claim(h, "sub"); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
