package compare

import (
	"bytes"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

var defaultTime = time.Unix(0, 0)

func TestHostileBodiesEndInAnOutcome(t *testing.T) {
	nothing := make([]byte, 64<<20)
	var keys, twice strings.Builder
	for i := range 1_000_000 {
		fmt.Fprintf(&keys, `"k%d":%d,`, i, i)
	}
	for i := range 100_000 {
		fmt.Fprintf(&twice, `"k%d":1,`, i%10)
	}
	var list strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&list, `{"v":%d},`, i%100_000)
	}
	deep := func(n int) string { return strings.Repeat("[", n) + "1" + strings.Repeat("]", n) }
	for _, c := range []struct {
		name, encoding string
		a, b           []byte
		want           Outcome
	}{
		{"a depth of 100,000", "", []byte(deep(100_000)), []byte(deep(100_001)), Undecodable},
		{"a depth just within the limit", "", []byte(deep(999)), []byte(deep(998) + " "), Mismatch},
		{"a million keys", "", []byte("{" + keys.String() + `"x":1}`), []byte("{" + keys.String() + `"x":2}`), Undecodable},
		{"ten keys 100,000 times", "", []byte("{" + twice.String() + `"x":1}`), []byte("{" + twice.String() + `"x":2}`), Mismatch},
		{"ten keys 100,000 times, and nothing", "", []byte("{" + twice.String() + `"x":1}`), []byte(`{}`), Mismatch},
		{"100,000 elements, all moved", "", []byte("[" + list.String() + "1]"), []byte("[1," + list.String() + "2]"), Mismatch},
		{"10^400", "", []byte(`[1e400, 1e999999999999999999999]`), []byte(`[1e401, 1e999999999999999999998]`), Mismatch},
		{"a number of a million digits", "", []byte("1" + strings.Repeat("0", 1_000_000)), []byte("1" + strings.Repeat("0", 999_999) + "1"), Mismatch},
		{"no UTF-8 at all", "", []byte("\"\xff\xfe\xfd\""), []byte("\"\xff\xfe\xfc\""), Mismatch},
		{"a zip bomb", "gzip", zipped(nothing), zipped(nothing[1:]), Undecodable},
		{"a br bomb", "br", brotlied(nothing), brotlied(nothing[1:]), Undecodable},
		{"a zstd bomb", "zstd", zstded(nothing), zstded(nothing[1:]), Undecodable},
		{"a bomb in a bomb", "gzip, gzip", zipped(zipped(nothing)), zipped(zipped(nothing[1:])), Undecodable},
		{"64 MiB of nothing", "", nothing, nothing[1:], Undecodable},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			answer := func(body []byte) *Answer {
				return &Answer{Status: 200, Header: http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {c.encoding}}, Body: body}
			}
			start := time.Now()
			r := Compare(answer(c.a), answer(c.b), nil, nil)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if r.Outcome != c.want {
				t.Errorf("%s, not %s: %s", r.Outcome, c.want, r.Why)
			}
			if took > 30*time.Second {
				t.Errorf("took %s", took)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 256<<20 {
				t.Errorf("allocated %d MiB", grown>>20)
			}
		})
	}
}

func TestMarkupIsBounded(t *testing.T) {
	for name, page := range map[string]string{
		"deep html": strings.Repeat("<div>", 100_000), "wide html": strings.Repeat("<br>", 1_000_000), "stray ends": strings.Repeat("<i>", 900) + strings.Repeat("</b>", 100_000),
		"an endless attribute": "<a b=" + strings.Repeat("x", 1<<20),
	} {
		start := time.Now()
		a, b := page, page+"<p>x"
		if r := Compare(htmlAnswer(a), htmlAnswer(b), nil, nil); r.Outcome != Undecodable && r.Outcome != Mismatch {
			t.Errorf("%s: %s", name, r.Outcome)
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
}

func htmlAnswer(body string) *Answer { return page(200, body, "Content-Type: text/html") }

func zipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(b)
	_ = z.Close()
	return out.Bytes()
}

func brotlied(b []byte) []byte {
	var out bytes.Buffer
	z := brotli.NewWriterLevel(&out, 1)
	_, _ = z.Write(b)
	_ = z.Close()
	return out.Bytes()
}

func zstded(b []byte) []byte {
	z, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	defer z.Close()
	return z.EncodeAll(b, nil)
}
