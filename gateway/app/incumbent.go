package app

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/ficus-gateway/ficus/gateway/takeover"
	"github.com/ficus-gateway/ficus/routes"
)

// openTakeover opens the socket by which another process takes over. That
// nobody can is no reason not to serve.
func (p *Process) openTakeover(t *routes.Table) {
	if len(p.config.Successor) == 0 {
		return
	}
	s, err := p.socket("unix", takeoverPath(t.Server), 0o600)
	if err != nil {
		p.log.Warn("nobody will be able to take over from this process", "error", err)
		return
	}
	p.sockets = append(p.sockets, s)
	p.incumbent = &takeover.Incumbent{
		Version: Version(), Sockets: p.offers, Release: p.release, Failed: p.stay, Taken: p.leave, Upgrade: p.upgrade,
	}
}

// offer lets others take over, until ctx ends.
func (p *Process) offer(ctx context.Context) {
	if p.incumbent == nil {
		return
	}
	p.incumbent.Resume = func() { p.resume(ctx) }
	way := p.sockets[len(p.sockets)-1]
	p.tasks.Go(func() {
		context.AfterFunc(p.handed.until(ctx), func() { _ = way.Close() })
		p.incumbent.Serve(ctx, way.Listener)
	})
}

// release lets go of what only one process may have. Whoever wants to change
// something waits from now on; all else is served as before.
func (p *Process) release(ctx context.Context) error {
	p.handed.let = time.Now()
	if err := p.desk.close(ctx); err != nil {
		return errors.New("what operators have asked for takes too long; try again")
	}
	if err := p.duties.stop(ctx); err != nil {
		return errors.New("the disk or Redis is too slow; try again")
	}
	if p.door != nil {
		_ = p.door.Close() // says so itself
	}
	if p.shared != nil && p.shared.findings != nil { // what people have just said of findings
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_ = p.shared.findings.exchange(ctx, false) // without Redis it is in the file
	}
	p.trips.lend(true)
	if err := p.shadow.Save(p.found); err != nil {
		p.log.Error("what the comparison has found could not be saved", "error", err)
	}
	if p.tenure == nil {
		return nil
	}
	return p.tenure.release()
}

// resume takes back what release let go. If it can't at once, it goes on trying
// until ctx ends, and all is served meanwhile.
func (p *Process) resume(ctx context.Context) {
	again := func() error {
		if p.tenure == nil {
			return nil
		}
		return p.tenure.resume()
	}
	begin := func() {
		p.trips.lend(false)
		p.unsettled.Store(true)
		p.begin(ctx)
	}
	err := again()
	for end := time.Now().Add(2 * time.Second); err != nil && time.Now().Before(end); err = again() {
		time.Sleep(10 * time.Millisecond)
	}
	p.desk.open()
	if err == nil {
		begin()
		return
	}
	p.log.Error("the event log could not be taken back; serving by the last state, and nothing can be changed", "error", err, "retry_in", time.Second)
	p.tasks.Go(func() {
		for tick := time.NewTicker(time.Second); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
			}
			if again() == nil {
				tick.Stop()
				p.log.Info("the event log was taken back")
				begin()
				return
			}
		}
	})
}

// stay is told of a takeover that came to nothing.
func (p *Process) stay(to takeover.Process, why error) {
	p.log.Error("not taken over; this process serves on", "by", to.PID, "its_version", to.Version, "error", why)
}

// leave is told who serves now.
func (p *Process) leave(by takeover.Process, used []int) {
	if p.tenure != nil {
		p.tenure.leave()
	}
	for _, i := range used {
		if i < 0 || i >= len(p.sockets) {
			continue
		}
		if ln, ok := p.sockets[i].Listener.(*net.UnixListener); ok {
			ln.SetUnlinkOnClose(false) // the path is that process's now
		}
	}
	p.handed.over(by, used)
	p.desk.leave()
	p.log.Info("taken over; this process ends when what it has under way is done", "by", by.PID, "its_version", by.Version, "changes_waited", time.Since(p.handed.let))
}
