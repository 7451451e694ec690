package dashboard

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// Whatever is posted is a request that can be written again, or a problem
// with words.
func FuzzShiftBody(f *testing.F) {
	for _, seed := range []string{
		`{"shares": "live=5% shadow=95%", "reason": "r", "expect": 12}`, `{"shares": {"live": "5%", "live": "0.001%"}, "reason": ""}`,
		`{"shares": {"live": {}}}`, `{"shares": null}`, `{"shares": "complete"}`, `{"expect": 1e99}`, `{"reason": "\ud800\u202e"}`, `{`, ``,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(text))
		r.Header.Set("Content-Type", "application/json")
		var body, again ShiftRequest
		if p := decode(httptest.NewRecorder(), r, &body); p != nil {
			if p.Detail == "" || p.Status < 400 || titles[p.Type] == "" {
				t.Errorf("%+v", p)
			}
			return
		}
		if line := plain(body.Reason, 1000); !utf8.ValidString(line) || strings.ContainsAny(line, "\x00\n\r\x1b\u202e") || utf8.RuneCountInString(line) > 1000 {
			t.Errorf("%q", line)
		}
		written, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(written, &again); err != nil || !slices.Equal(again.Shares, body.Shares) || again.Reason != body.Reason {
			t.Errorf("%s becomes %+v: %v", written, again, err)
		}
	})
}
