//go:build linux

package app

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// A fault is something that goes wrong for a while.
type fault struct {
	name  string
	redis bool // all gateways feel it
	does  func(w *world, g *replica, lasts time.Duration)
}

var faults = []fault{
	{"cut off", false, func(w *world, g *replica, lasts time.Duration) {
		g.link.cut()
		time.Sleep(lasts)
		g.link.mend()
	}},
	{"squeezed", false, func(w *world, g *replica, lasts time.Duration) {
		g.link.squeeze()
		time.Sleep(lasts)
		g.link.widen()
	}},
	{"delayed", false, func(w *world, g *replica, lasts time.Duration) {
		g.line.delay.Store(int64(rand.N(300 * time.Millisecond)))
		time.Sleep(lasts)
		g.line.delay.Store(0)
	}},
	{"reset", false, func(w *world, g *replica, lasts time.Duration) {
		for range 5 {
			g.line.reset()
			time.Sleep(lasts / 5)
		}
	}},
	{"killed", false, func(w *world, g *replica, lasts time.Duration) {
		g.up.Store(false)
		g.deaths.Add(1)
		g.signal(syscall.SIGKILL)
		time.Sleep(lasts)
		g.start()
		g.up.Store(true)
	}},
	{"redis cut off from all", true, func(w *world, _ *replica, lasts time.Duration) {
		for _, g := range w.gateways {
			g.link.cut()
		}
		time.Sleep(lasts)
		for _, g := range w.gateways {
			g.link.mend()
		}
	}},
	{"redis killed", true, func(w *world, _ *replica, lasts time.Duration) {
		w.redis.kill()
		time.Sleep(lasts)
		w.redis.start()
	}},
	{"redis stopped", true, func(w *world, _ *replica, lasts time.Duration) {
		w.redis.signal(syscall.SIGSTOP)
		time.Sleep(lasts)
		w.redis.signal(syscall.SIGCONT)
	}},
	{"redis killed, and empty", true, func(w *world, _ *replica, lasts time.Duration) {
		w.redis.kill()
		_ = os.RemoveAll(filepath.Join(w.redis.dir, "appendonlydir"))
		w.lossAfter.Store(time.Now().UnixNano())
		time.Sleep(lasts)
		w.redis.start()
	}},
}
