package redislog

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/ficus-gateway/ficus/migrations"
)

// sealed makes a line of content that follows the line with hash prev. It is
// written apart from migrations.EncodeLine, by the specification.
func sealed(prev migrations.Hash, content string) string {
	sum := sha256.New()
	sum.Write(prev[:])
	sum.Write([]byte(content))
	return content + `,"hash":"` + migrations.Hash(sum.Sum(nil)).String() + `"}`
}

// Whatever is in the stream: it is refused, or it is an event that would be
// written in the same place with the same hash by which it was found right.
func FuzzDecodeEntry(f *testing.F) {
	f.Fuzz(func(t *testing.T, id, lineName, content, appendName, appendID string, damage bool) {
		line := sealed(migrations.Hash{}, content)
		if damage {
			line = content
		}
		r, err := parseRaw(id, []string{lineName, line, appendName, appendID})
		if err != nil {
			return
		}
		e, err := r.verify(migrations.Hash{})
		if err != nil {
			return
		}
		if entryID(e.event.Seq) != id || lineName != lineField || appendName != appendField || e.append != appendID || appendID == "" {
			t.Fatalf("entry %q was taken for event %d", id, e.event.Seq)
		}
		if string(e.line) != line {
			t.Fatalf("the line became %q", e.line)
		}
		if h, err := migrations.LineHash(e.line); err != nil || h != e.hash {
			t.Fatalf("the hash became %s (%v)", e.hash, err)
		}
		if !bytes.HasSuffix(e.line, []byte(e.hash.String()+`"}`)) {
			t.Fatalf("%s does not end in %s", e.line, e.hash)
		}
		again, err := r.verify(migrations.Hash{1})
		if err == nil {
			t.Fatalf("event %d fits after another line, too", again.event.Seq)
		}
	})
}
