package telemetry

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestAccessLine(t *testing.T) {
	tr := Trace{TraceID: [16]byte{0: 0x0a, 15: 0x9c}, Server: [8]byte{7: 1}}
	x := anExchange()
	got := string(line(nil).appendRequest(&tr, &x))
	want := `{"time":"2026-03-01T12:00:00.00725Z","level":"INFO","msg":"request",` +
		`"trace_id":"0a00000000000000000000000000009c","span_id":"0000000000000001","request_id":"req-1",` +
		`"method":"GET","scheme":"https","host":"shop.example:8443","path":"/api/orders/7","proto":"HTTP/1.1",` +
		`"client":"203.0.113.9","peer":"10.0.0.1","user_agent":"curl/8.5.0",` +
		`"route":"orders","migration":"orders","flag":"orders","stage":"live","side":"modern","variant":"live","reason":"TARGETING_MATCH",` +
		`"cohort":"staff","key_source":"cookie:uid","key_hash":"ab54a98ceb1f0ad2","bucket":4711,` +
		`"upstream":"orders","endpoint":"http://10.0.0.5:3001","attempts":2,"status":200,"bytes_in":12,"bytes_out":3456,` +
		`"match_ms":0.002,"decide_ms":0.001,"queue_ms":0.003,"connect_ms":0.500,"first_byte_ms":4,"total_ms":7.250}` + "\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAccessLineOfAFailure(t *testing.T) {
	got := string(line(nil).appendRequest(&Trace{}, &Exchange{
		ErrKind: "client_gone", Err: "write: broken pipe", Fallback: "connect", Upgraded: true, ClientAddr: "::1", Peer: "::1",
	}))
	for _, want := range []string{`"status":0`, `"err":"client_gone"`, `"err_detail":"write: broken pipe"`, `"fallback":"connect"`, `"upgraded":true`, `"total_ms":0}`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	for _, not := range []string{`"peer"`, `"migration"`, `"bucket"`, `"upstream"`} {
		if strings.Contains(got, not) {
			t.Errorf("%s in %s", not, got)
		}
	}
}

var hostile = []string{
	"\x00\x01\b\t\n\r\x1b[31m\x7f", `"},"status":200,"x":"`, `\`, `\u0000`, "\xff\xfe", "\xc0\xaf", "\xed\xa0\x80", "\u2028\u2029\u0085",
	"é日本🦫", "cut in a rune \xe2\x82", strings.Repeat("A", 1<<20), strings.Repeat("🦫", 1<<18), strings.Repeat("\x01", 1<<20), "<script>&",
}

func TestEveryLineIsOneJSONObject(t *testing.T) {
	for _, s := range hostile {
		x := anExchange()
		fields := reflect.ValueOf(&x).Elem()
		for i := range fields.NumField() {
			if f := fields.Field(i); f.Kind() == reflect.String {
				f.SetString(s)
			}
		}
		x.Target = "/" + s
		checkLine(t, line(nil).appendRequest(&Trace{}, &x))
	}
}

func checkLine(t *testing.T, l []byte) map[string]any {
	t.Helper()
	if !utf8.Valid(l) || bytes.Count(l, []byte("\n")) != 1 || l[len(l)-1] != '\n' {
		t.Errorf("not one line of UTF-8: %.200q", l)
	}
	if i := bytes.IndexFunc(l[:len(l)-1], func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }); i >= 0 {
		t.Errorf("control character in %.200q", l[i:])
	}
	if len(l) > 64<<10 {
		t.Errorf("a line of %d bytes", len(l))
	}
	var m map[string]any
	if err := json.Unmarshal(l, &m); err != nil {
		t.Fatalf("%v: %.200q", err, l)
	}
	if m["msg"] != "request" {
		t.Errorf("msg is %v", m["msg"])
	}
	return m
}

func TestTextIsReadBackAsItWas(t *testing.T) {
	for _, s := range hostile {
		want := strings.ToValidUTF8(s, "\ufffd")
		if len(s) > 512 || !utf8.ValidString(s) && strings.Count(want, "\ufffd") != len(s) {
			continue // cut, or runs of bad bytes that are told one by one
		}
		x := Exchange{UserAgent: s}
		if got := checkLine(t, line(nil).appendRequest(&Trace{}, &x))["user_agent"]; got != want {
			t.Errorf("%q is read back as %q", s, got)
		}
	}
}

func TestLongUserAgentsAreCut(t *testing.T) {
	x := Exchange{UserAgent: strings.Repeat("A", 1<<20)}
	got := checkLine(t, line(nil).appendRequest(&Trace{}, &x))["user_agent"]
	if got != strings.Repeat("A", 512)+"…" {
		t.Errorf("got %.600q", got)
	}
}

func TestNoSecretsInALine(t *testing.T) {
	x := anExchange()
	for _, target := range []string{"/a?token=hunter2", "http://u:hunter2@h/a", "/a;jsessionid=hunter2", "u:hunter2@h:443", "/a?hunter2"} {
		x.Target = target
		if l := line(nil).appendRequest(&Trace{}, &x); bytes.Contains(l, []byte("hunter2")) {
			t.Errorf("%s is told in %s", target, l)
		}
	}
}

func FuzzLine(f *testing.F) {
	for _, s := range hostile[:10] {
		f.Add(s, 200, int64(1500))
	}
	f.Fuzz(func(t *testing.T, s string, status int, n int64) {
		x := Exchange{Method: s, Target: s, UserAgent: s, Err: s, Status: status, BytesIn: n}
		m := checkLine(t, line(nil).appendRequest(&Trace{}, &x))
		if utf8.ValidString(s) && len(s) <= 512 && s != "" && m["user_agent"] != s {
			t.Errorf("%q is read back as %q", s, m["user_agent"])
		}
	})
}
