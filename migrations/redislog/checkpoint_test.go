package redislog

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/migrations"
)

func TestNothingIsTrimmedThatTheCheckpointDoesNotHold(t *testing.T) {
	s := newServer(t)
	l := open(t, s.url(), still())
	if _, err := l.Checkpoint(t.Context(), migrations.State{}); err == nil {
		t.Error("an empty log was made short")
	}
	mustAppend(t, l, created("orders"))
	early := latest(t, l)
	mustAppend(t, open(t, s.url(), still()), live("orders", 1))
	wrong := latest(t, l)
	wrong.Migrations = nil
	future := latest(t, l)
	future.Seq = 9
	for name, state := range map[string]migrations.State{"early": early, "wrong": wrong, "future": future} {
		if _, err := l.Checkpoint(t.Context(), state); err == nil || errors.Is(err, migrations.ErrConflict) != (name == "early") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := s.do(t, "XLEN", l.stream); n != int64(2) {
		t.Errorf("%v entries are left", n)
	}
}

func TestCheckpointShortensTheLogForAll(t *testing.T) {
	s := newServer(t)
	logs := several(t, s)
	mustAppend(t, logs[0], created("orders"), created("carts"))
	for i := range 500 {
		mustAppend(t, logs[i%2], live("orders", i))
	}
	before := latest(t, logs[2])
	behind, waiting := follow(t.Context(), logs[1], 502), follow(t.Context(), logs[2], 502)
	time.Sleep(50 * time.Millisecond)
	seq, err := logs[0].Checkpoint(t.Context(), before)
	if err != nil || seq != 503 {
		t.Fatal(seq, err)
	}
	for _, f := range []<-chan result{behind, waiting, follow(t.Context(), logs[2], 0), follow(t.Context(), logs[2], 77)} {
		if r := next(t, f); r.err != nil || r.event.Seq != 503 || r.event.Kind != migrations.Restored {
			t.Errorf("got event %d, %v", r.event.Seq, r.err)
		}
	}
	if n := s.do(t, "XLEN", logs[0].stream); n != int64(1) {
		t.Errorf("%v entries are left", n)
	}
	if n := s.do(t, "XLEN", "ficus:{ficus}:events:before:503"); n != int64(502) {
		t.Errorf("%v entries were put aside", n)
	}
	if ttl := s.do(t, "TTL", "ficus:{ficus}:events:before:503"); ttl.(int64) < 1000 {
		t.Errorf("they are kept for %v s", ttl)
	}
	for i, l := range logs {
		wantHead(t, l, 503+uint64(i))
		after := latest(t, l)
		if i == 0 {
			if diff := cmp.Diff(before.Migrations, after.Migrations); diff != "" {
				t.Errorf("the state has changed:\n%s", diff)
			}
		}
		if seq := mustAppend(t, l, live("carts", i)); seq != 504+uint64(i) {
			t.Errorf("goes on with event %d", seq)
		}
	}
	// A gateway that slept through all of it.
	asleep := open(t, s.url(), Options{Seen: Tip{Seq: 300}})
	wantHead(t, asleep, 506)
}

func TestLostAcknowledgementOfACheckpointTrimsOnce(t *testing.T) {
	s := newServer(t)
	p := newProxy(t, "127.0.0.1:"+s.port)
	l := open(t, p.url(), still())
	mustAppend(t, l, created("orders"))
	if _, err := l.Checkpoint(t.Context(), latest(t, l)); err != nil {
		t.Fatal(err)
	}
	p.cutAfter(restartScript.Hash(), 1)
	if seq, err := l.Checkpoint(t.Context(), latest(t, l)); err != nil || seq != 3 {
		t.Errorf("event %d, %v", seq, err)
	}
	wantHead(t, l, 3)
}
