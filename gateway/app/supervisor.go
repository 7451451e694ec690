package app

import (
	"context"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ficus-gateway/ficus/gateway/systemd"
)

// notify tells the service manager how the process stands, if there is one.
func (p *Process) notify(state ...string) {
	if err := systemd.Notify(state...); err != nil {
		p.log.Warn("the service manager does not listen", "error", err)
	}
}

// bark tells the service manager, as often as it wants to know, that the
// process lives, until ctx ends.
func (p *Process) bark(ctx context.Context) {
	every := systemd.Watchdog()
	if every == 0 {
		return
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			p.notify("WATCHDOG=1")
		}
	}
}

// monotonic returns the time since the boot in microseconds, by which the
// service manager knows what a RELOADING=1 answers.
func monotonic() string {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return "0"
	}
	return strconv.FormatInt(t.Nano()/int64(time.Microsecond), 10)
}
