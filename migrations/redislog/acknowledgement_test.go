package redislog

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// The scripts are called by their hashes; the append id is in what writes.
const writing = "evalsha"

func TestLostAcknowledgementAddsNothingTwice(t *testing.T) {
	s := newServer(t)
	p := newProxy(t, "127.0.0.1:"+s.port)
	direct := open(t, s.url(), still())
	mustAppend(t, direct, created("orders"))
	o := still()
	o.Patience = 20 * time.Second
	l := open(t, p.url(), o)
	mustAppend(t, l, live("orders", 1)) // the server knows the scripts now
	const appends = 12
	for i := range appends {
		p.cutAfter(appendScript.Hash(), 1+i%3)
		e := live("orders", 2+i)
		e.Reason = fmt.Sprint("append ", i)
		seq, err := l.Append(t.Context(), migrations.Unconditional, e, e)
		if err != nil || seq != uint64(2+2*(i+1)) {
			t.Fatalf("append %d: event %d, %v", i, seq, err)
		}
	}
	wantHead(t, direct, 2+2*appends)
}

func TestLostAcknowledgementIsNoConflict(t *testing.T) {
	s := newServer(t)
	p := newProxy(t, "127.0.0.1:"+s.port)
	l := open(t, p.url(), still())
	after := mustAppend(t, l, created("orders"))
	p.cutAfter(appendScript.Hash(), 1)
	seq, err := l.Append(t.Context(), after, live("orders", 1))
	if err != nil || seq != 2 {
		t.Errorf("event %d, %v", seq, err)
	}
}

func TestAppendThatIsNeverAcknowledgedIsUncertain(t *testing.T) {
	s := newServer(t)
	p := newProxy(t, "127.0.0.1:"+s.port)
	o := hasty()
	l := open(t, p.url(), o)
	mustAppend(t, l, created("orders"))
	p.cutAfter(writing, -1)
	_, err := l.Append(t.Context(), migrations.Unconditional, live("orders", 1))
	if err == nil || errors.Is(err, ErrUncertain) {
		t.Errorf("nothing was sent, and the error is %v", err)
	}
	p.cutAfter(appendScript.Hash(), -1)
	_, err = l.Append(t.Context(), migrations.Unconditional, live("orders", 1))
	if !errors.Is(err, ErrUncertain) || TroubleOf(err) != Down {
		t.Errorf("the error is %v", err)
	}
	p.cutAfter("", 0)
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if seq, err := l.Head(t.Context()); err == nil && seq == 2 {
			break // the server has come to what was sent to it before the connection was cut
		}
	}
	wantHead(t, l, 2) // it was added, in fact
	if _, err := l.Append(t.Context(), 1, live("orders", 1)); !errors.Is(err, migrations.ErrConflict) {
		t.Errorf("the same again: %v", err)
	}
}
