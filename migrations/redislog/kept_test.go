package redislog

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestKeptStateIsWholeOrTheOneBefore(t *testing.T) {
	s := newServer(t)
	l := open(t, s.url(), still())
	path := filepath.Join(t.TempDir(), "ficus.checkpoint")
	if k, err := ReadKept(path); k != nil || err != nil {
		t.Fatal(k, err)
	}
	mustAppend(t, l, created("orders"), live("orders", 5000))
	for range 2 {
		k := Kept{l.String(), l.Seen(), latest(t, l)}
		if err := k.Write(path); err != nil {
			t.Fatal(err)
		}
		got, err := ReadKept(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&k, got); diff != "" {
			t.Error(diff)
		}
		mustAppend(t, l, live("orders", 7000))
		// A crash while the next one is written leaves this.
		if err := os.WriteFile(path+".new", []byte(`{"log":"redis:`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{"", "{", `{"seq":1}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if k, err := ReadKept(path); err == nil {
			t.Errorf("%q was taken for %+v", text, k)
		}
	}
}
