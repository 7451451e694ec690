package web

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestAPageIsRenderedOnceForAllWhoLookAndOnlyWhileSomebodyDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(100, "one")
		var rendered atomic.Int64
		render := func(context.Context) ([]part, error) {
			return []part{{ID: "n", HTML: fmt.Sprint(rendered.Add(1))}, {ID: "same", HTML: "same"}}, nil
		}
		var leaves []func()
		var topics []*topic
		for range 50 {
			topic, leave, err := l.join("overview", render)
			if err != nil {
				t.Fatal(err)
			}
			topics, leaves = append(topics, topic), append(leaves, leave)
		}
		synctest.Wait()
		if n := rendered.Load(); n != 1 {
			t.Fatalf("rendered %d times", n)
		}
		_, version, changed := topics[0].after(0)
		l.wake()
		synctest.Wait()
		select {
		case <-changed:
		default:
			t.Error("nobody is told of a change")
		}
		if parts, _, _ := topics[49].after(version); len(parts) != 1 || parts[0].ID != "n" || rendered.Load() != 2 {
			t.Errorf("%+v after %d renderings", parts, rendered.Load())
		}
		for _, leave := range leaves {
			leave()
			leave() // twice is once
		}
		synctest.Wait()
		l.wake()
		synctest.Wait()
		if l.streams != 0 || len(l.topics) != 0 || rendered.Load() != 2 {
			t.Errorf("%d streams, %d topics, %d renderings", l.streams, len(l.topics), rendered.Load())
		}
	})
}

func TestStreamsAndTopicsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(maxTopics+10, "one")
		render := func(context.Context) ([]part, error) { return nil, nil }
		var leaves []func()
		join := func(key string) error {
			_, leave, err := l.join(key, render)
			if err == nil {
				leaves = append(leaves, leave)
			}
			return err
		}
		for i := range maxTopics {
			if err := join(fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := join("one more"); err == nil {
			t.Error("as many topics as anybody likes")
		}
		for range 10 {
			if err := join("0"); err != nil {
				t.Fatal(err)
			}
		}
		if err := join("0"); err == nil {
			t.Error("as many streams as anybody likes")
		}
		for _, leave := range leaves {
			leave()
		}
		synctest.Wait()
		if err := join("0"); err != nil {
			t.Error("who leaves makes no room")
		}
		leaves[len(leaves)-1]()
		synctest.Wait()
	})
}
