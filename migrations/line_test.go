package migrations

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func encode(t interface{ Fatal(...any) }, prev Hash, e Event) ([]byte, Hash) {
	line, h, err := EncodeLine(prev, e)
	if err != nil {
		t.Fatal(err)
	}
	return line, h
}

func TestLineIsReadAsItIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, prev := State{}, Hash{}
		for range rapid.IntRange(1, 10).Draw(t, "events") {
			e := randomEvent(t, s)
			e.More = rapid.IntRange(0, 3).Draw(t, "more")
			if rapid.Bool().Draw(t, "restored") {
				e.State = &s
			}
			line, h := encode(t, prev, e)
			if bytes.ContainsAny(line, "\n\r") {
				t.Fatalf("more than one line: %s", line)
			}
			got, gotHash, err := DecodeLine(prev, line)
			if err != nil || gotHash != h {
				t.Fatalf("%s: %v", line, err)
			}
			if diff := cmp.Diff(e, got); diff != "" {
				t.Fatalf("(-written +read)\n%s", diff)
			}
			if again, _ := encode(t, prev, got); !bytes.Equal(again, line) {
				t.Fatalf("written again, %s becomes %s", line, again)
			}
			if next, err := Apply(s, e); err == nil {
				s = next
			}
			prev = h
		}
	})
}

// The line as the package documentation specifies it, computed by hand.
func TestLineIsWhatTheDocumentationSays(t *testing.T) {
	content := `{"seq":1,"time":"2026-03-01T12:00:00.5Z","migration":"orders","kind":"created","from":"monolith","to":"orders","key":"cookie:uid","plan":"5a1e0c7d9b3f2468","actor":"ficus"`
	sum := sha256.Sum256(append(make([]byte, 32), content...))
	want := content + `,"hash":"` + hex.EncodeToString(sum[:]) + `"}`
	e := Event{Seq: 1, Time: time.Date(2026, 3, 1, 12, 0, 0, 5e8, time.UTC), Migration: "orders", Kind: Created, From: "monolith", To: "orders", Key: "cookie:uid", Plan: "5a1e0c7d9b3f2468", Actor: "ficus"}
	first, h := encode(t, Hash{}, e)
	if string(first) != want {
		t.Errorf("got\n%s, want\n%s", first, want)
	}
	content = `{"seq":2,"time":"2026-03-01T12:30:00Z","migration":"orders","kind":"shifted","split":[{"stage":"live","buckets":5000},{"stage":"shadow","buckets":95000}],"actor":"alice","reason":"a < b & c","more":1,"data_loss":true`
	sum = sha256.Sum256(append(h[:], content...))
	want = content + `,"hash":"` + hex.EncodeToString(sum[:]) + `"}`
	e = Event{Seq: 2, Time: time.Date(2026, 3, 1, 12, 30, 0, 0, time.UTC), Migration: "orders", Kind: Shifted, Split: Split{{Live, 5000}, {Shadow, 95000}}, Actor: "alice", Reason: "a < b & c", More: 1, DataLoss: true}
	if second, _ := encode(t, h, e); string(second) != want {
		t.Errorf("got\n%s, want\n%s", second, want)
	}
}

func TestEveryChangedByteOfALineIsNoticed(t *testing.T) {
	var prev Hash
	prev[7] = 7
	line, _ := encode(t, prev, Event{Seq: 2, Time: time.Unix(1e9, 0).UTC(), Migration: "orders", Kind: Shifted, Split: All(Shadow), Reason: "why"})
	for i := range line {
		for _, flip := range []byte{1, 0x20, 0x80} {
			bad := bytes.Clone(line)
			bad[i] ^= flip
			e, h, err := DecodeLine(prev, bad)
			if err == nil && !(h == Hash(mustHash(t, line)) && e.Seq == 2 && bytes.EqualFold(bad, line)) {
				t.Errorf("byte %d as %q went unnoticed", i, bad[i])
			}
		}
		if _, _, err := DecodeLine(prev, line[:i]); err == nil {
			t.Errorf("the first %d bytes are a line", i)
		}
	}
	if _, _, err := DecodeLine(Hash{}, line); !errors.Is(err, ErrHash) {
		t.Errorf("after another line: %v", err)
	}
}

func mustHash(t *testing.T, line []byte) Hash {
	t.Helper()
	h, err := LineHash(line)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// seal gives content, a JSON object without its closing brace, a right hash.
func seal(content string) []byte {
	h := chain(Hash{}, []byte(content))
	return fmt.Appendf(nil, `%s,"hash":"%s"}`, content, h)
}

func TestLineOfANewerProgramIsRefused(t *testing.T) {
	const good = `{"seq":1,"time":"2026-03-01T12:00:00Z","migration":"orders","kind":"held"`
	if _, _, err := DecodeLine(Hash{}, seal(good)); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"new member":         good + `,"quorum":3`,
		"new member inside":  good + `,"split":[{"stage":"live","buckets":1,"region":"eu"}]`,
		"other case":         strings.Replace(good, `"kind"`, `"Kind"`, 1),
		"member given twice": good + `,"seq":2`,
		"hash given twice":   good + `,"hash":"` + strings.Repeat("0", 64) + `"`,
		"wrong type":         strings.Replace(good, `1`, `"1"`, 1),
		"negative number":    strings.Replace(good, `1`, `-1`, 1),
		"bad time":           strings.Replace(good, `12:00`, `25:00`, 1),
		"bad UTF-8":          good + ",\"reason\":\"\xff\"",
		"no object":          `[1`,
		"half":               `{"seq":1,"time":`,
		"two":                good + `}` + good,
	} {
		if e, _, err := DecodeLine(Hash{}, seal(content)); err == nil {
			t.Errorf("%s: was read as %+v", name, e)
		}
	}
}

func TestBadTextIsMadeGoodWhenItIsWritten(t *testing.T) {
	line, _ := encode(t, Hash{}, Event{Seq: 1, Migration: "orders", Kind: Held, Reason: "caf\xe9 \u2028 \x00 \n"})
	e, _, err := DecodeLine(Hash{}, line)
	if err != nil || e.Reason != "caf\ufffd \u2028 \x00 \n" {
		t.Errorf("%q, %v", e.Reason, err)
	}
}

func FuzzDecodeLine(f *testing.F) {
	line, h, err := EncodeLine(Hash{}, Event{Seq: 1, Migration: "orders", Kind: Created, From: "monolith", To: "orders"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(make([]byte, 32), line)
	f.Add(h[:], line)
	f.Add(make([]byte, 32), seal(`{"seq":1,"time":"2026-03-01T12:00:00Z","migration":"orders","kind":"held","x":1`))
	f.Fuzz(func(t *testing.T, prev, line []byte) {
		var before Hash
		copy(before[:], prev)
		for _, line := range [][]byte{line, seal(string(line))} { // what has a right hash gets further
			e, h, err := DecodeLine(before, line)
			if err != nil {
				continue
			}
			again, _, err := EncodeLine(before, e)
			if err != nil {
				t.Fatalf("%s was read, but cannot be written: %v", line, err)
			}
			if e2, _, err := DecodeLine(before, again); err != nil || !cmp.Equal(e, e2) {
				t.Fatalf("%s, written again as %s, is read as %+v (%v)", line, again, e2, err)
			}
			if _, err := Apply(State{Seq: e.Seq - 1}, e); err == nil && h == (Hash{}) {
				t.Fatal("a hash of zeros")
			}
		}
	})
}

func BenchmarkReplay100k(b *testing.B) {
	const events, many = 100_000, 200
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var lines [][]byte
	var h Hash
	for i := range events {
		e := Event{Seq: uint64(i + 1), Time: now.Add(time.Duration(i) * time.Second), Migration: fmt.Sprintf("m%03d", i%many), Actor: "alice", Reason: "the error rate is fine, on we go", TraceID: "4bf92f3577b34da6a3ce929d0e0e4736"}
		if i < many {
			e.Kind, e.From, e.To = Created, "monolith", "orders"
		} else {
			e.Kind, e.Split = Shifted, Split{{Live, i % Buckets}, {Shadow, Buckets - i%Buckets}}
		}
		var line []byte
		line, h = encode(b, h, e)
		lines = append(lines, line)
	}
	b.ReportAllocs()
	for b.Loop() {
		fold := new(Fold)
		var prev Hash
		for _, line := range lines {
			e, h, err := DecodeLine(prev, line)
			if err != nil {
				b.Fatal(err)
			}
			if err := fold.Apply(e); err != nil {
				b.Fatal(err)
			}
			prev = h
		}
	}
}
