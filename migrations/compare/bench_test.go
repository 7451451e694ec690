package compare

import (
	"fmt"
	"strings"
	"testing"
)

// orders makes a body of about size bytes; every tenth order differs between
// variants.
func orders(size, variant int) string {
	var b strings.Builder
	b.WriteString(`{"page":1,"orders":[`)
	for i := 0; b.Len() < size; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		total := i * 17 % 991
		if i%10 == 3 {
			total += variant
		}
		fmt.Fprintf(&b, `{"id":"ord-%06d","customer":{"name":"Ada Example %d","vip":%v},"total":%d.%02d,"currency":"EUR","lines":[{"sku":"A-%d","n":%d}],"note":null}`,
			i, i, i%3 == 0, total, i%100, i, i%4)
	}
	b.WriteString(`]}`)
	return b.String()
}

func benchmarkPair(b *testing.B, x, y *Answer, want Outcome) {
	b.Helper()
	b.ReportAllocs()
	b.SetBytes(int64(len(x.Body)))
	for b.Loop() {
		if r := Compare(x, y, nil, nil); r.Outcome != want {
			b.Fatal(say(r))
		}
	}
}

func BenchmarkEqual256KiB(b *testing.B) {
	x := jsonPage(orders(256<<10, 0))
	y := jsonPage(string(x.Body))
	benchmarkPair(b, x, y, Match)
}

func BenchmarkEqualByHash(b *testing.B) {
	x := jsonPage(orders(256<<10, 0))
	x.Hash, x.Length = [32]byte{1}, int64(len(x.Body))
	benchmarkPair(b, x, x, Match)
}

func BenchmarkDifferent4KiB(b *testing.B) {
	benchmarkPair(b, jsonPage(orders(4<<10, 0)), jsonPage(orders(4<<10, 1)), Mismatch)
}

func BenchmarkDifferent100KiB(b *testing.B) {
	benchmarkPair(b, jsonPage(orders(100<<10, 0)), jsonPage(orders(100<<10, 1)), Mismatch)
}

func BenchmarkReordered100KiB(b *testing.B) {
	x := orders(100<<10, 0)
	parts := strings.Split(strings.TrimSuffix(strings.TrimPrefix(x, `{"page":1,"orders":[`), `]}`), `,{"id"`)
	parts[0], parts[len(parts)-1] = "{\"id\""+parts[len(parts)-1], strings.TrimPrefix(parts[0], `{"id"`)
	y := `{"page":1,"orders":[` + strings.Join(parts, `,{"id"`) + `]}`
	benchmarkPair(b, jsonPage(x), jsonPage(y), Mismatch)
}
