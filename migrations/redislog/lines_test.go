package redislog

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/filelog"
	"github.com/ficus-gateway/ficus/migrations/transfer"
)

// From a file to Redis and back: the bytes are the same, so the chain is.
func TestMovingHouseKeepsEveryByte(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ficus.events")
	file, err := filelog.Open(path, filelog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"orders", "carts"} {
		if _, err := file.Append(t.Context(), 0, created(id), live(id, 1)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 1200 { // more than is sent at once
		e := live("orders", i)
		e.Reason = strings.Repeat("naïve <日本> ", i%7)
		if _, err := file.Append(t.Context(), migrations.Unconditional, e); err != nil {
			t.Fatal(err)
		}
	}
	state, err := migrations.Latest(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	s := newServer(t)
	l := open(t, s.url(), still())
	waiting := follow(t.Context(), l, 0)
	in, err := transfer.Import(t.Context(), bytes.NewReader(text), l)
	if err != nil || in.Events != 1204 {
		t.Fatalf("%d events were imported: %v", in.Events, err)
	}
	for seq := range uint64(1204) {
		wantNext(t, waiting, seq+1)
	}
	if diff := cmp.Diff(state, latest(t, l)); diff != "" {
		t.Error(diff)
	}
	if keys := s.do(t, "KEYS", "*").([]any); len(keys) != 1 {
		t.Errorf("the keys are %v", keys)
	}
	if ttl := s.do(t, "TTL", l.stream); ttl != int64(-1) {
		t.Errorf("the log expires in %v s", ttl)
	}
	var out bytes.Buffer
	summary, err := transfer.Export(t.Context(), l, &out)
	if err != nil || summary.Hash != in.Hash || summary.Hash != l.Seen().Hash {
		t.Errorf("exported %+v: %v", summary, err)
	}
	if !bytes.Equal(out.Bytes(), text) {
		t.Error("the export differs from the file that was imported")
	}
	mustAppend(t, l, live("carts", 7))
	out.Reset()
	if _, err := transfer.Export(t.Context(), l, &out); err != nil {
		t.Fatal(err)
	}
	back := filepath.Join(t.TempDir(), "ficus.events")
	if _, err := transfer.ImportFile(&out, back); err != nil {
		t.Fatal(err)
	}
	if file, err = filelog.Open(back, filelog.Options{}); err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	again, err := migrations.Latest(t.Context(), file)
	if diff := cmp.Diff(latest(t, l), again); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestImportIsAllOrNothing(t *testing.T) {
	s := newServer(t)
	from := open(t, s.url()+"?installation=from", still())
	mustAppend(t, from, created("orders"), live("orders", 1), live("orders", 2))
	var out bytes.Buffer
	if _, err := transfer.Export(t.Context(), from, &out); err != nil {
		t.Fatal(err)
	}
	good := out.String()
	lines := strings.SplitAfter(good, "\n")
	l := open(t, s.url(), still())
	for name, text := range map[string]string{
		"nothing":     "",
		"half a line": good[:len(good)-9],
		"half append": lines[0] + lines[1],
		"changed":     strings.Replace(good, "alice", "mallo", 1),
		"missing":     lines[1] + lines[2],
	} {
		if _, err := transfer.Import(t.Context(), strings.NewReader(text), l); err == nil {
			t.Errorf("%s was imported", name)
		}
		wantHead(t, l, 0)
	}
	if keys := s.do(t, "KEYS", "ficus:{ficus}:*").([]any); len(keys) != 0 {
		t.Errorf("left over: %v", keys)
	}
	if _, err := transfer.Import(t.Context(), strings.NewReader(good), l); err != nil {
		t.Error(err)
	}
	if _, err := transfer.Import(t.Context(), strings.NewReader(good), l); err == nil || !strings.Contains(err.Error(), "there is a log already") {
		t.Errorf("imported twice: %v", err)
	}
	wantHead(t, l, 3)
}
