package murmur3

import "testing"

func TestSum32GivesTheKnownHashes(t *testing.T) {
	for text, want := range map[string]uint32{
		"":                 0,
		"a":                0x3c2569b2,
		"abc":              0xb3dd93fa,
		"test":             0xba6bd213,
		"hello":            0x248bfa47,
		"hello, world":     0x149bbb7f,
		"Hello, world!":    0xc0363e43,
		"\x00\x00\x00\x00": 0x2362f9de,
		"\xff\xff\xff\xff": 0x76293b50,
		"\x21\x43\x65\x87": 0xf55b516b,
		"\x21\x43\x65":     0x7e4a8634,
		"\x21\x43":         0xa0f7b07a,
		"\x21":             0x72661cf4,
		"The quick brown fox jumps over the lazy dog": 0x2e4ff723,
		"ejOoVL": 0, // the edges of the range, from flagd's test bed
		"bY9fO-": 1,
		"SI7p-":  1<<31 - 1,
		"6LvT0":  1 << 31,
		"ceQdGm": 1<<32 - 1,
	} {
		if got := Sum32([]byte(text)); got != want {
			t.Errorf("Sum32(%q) = %#x, want %#x", text, got, want)
		}
	}
}

func TestSum32JoinedHashesBothTexts(t *testing.T) {
	long := string(make([]byte, 300))
	for _, c := range [][2]string{{"", ""}, {"orders", "4711"}, {"", "key"}, {"flag", ""}, {long, "key"}} {
		if got, want := Sum32Joined(c[0], c[1]), Sum32([]byte(c[0]+c[1])); got != want {
			t.Errorf("Sum32Joined(%.10q, %q) = %#x, want %#x", c[0], c[1], got, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { Sum32Joined("orders", "0123456789abcdef0123456789abcdef") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
