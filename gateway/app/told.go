package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ficus-gateway/ficus/gateway/notify"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// openTeller makes what tells the hooks. A hook that is in the first table and
// was never told begins with what this process does first; one that comes with
// a reload begins then.
func (p *Process) openTeller(t *routes.Table) error {
	var place notify.Place
	if p.shared != nil {
		place = &toldTogether{client: p.shared.client, key: p.shared.key, name: rand.Text()}
	} else {
		file, err := notify.OpenFile(filepath.Join(t.Server.Beside(), "ficus.told"), writeDurably)
		if err != nil {
			return err
		}
		place = file
	}
	first := p.follower.State().Seq
	p.teller = notify.New(notify.Options{
		Hooks: func() []*routes.Hook { return p.source.Table().Hooks },
		Begin: func(hook string) uint64 {
			if slices.ContainsFunc(t.Hooks, func(h *routes.Hook) bool { return h.Name == hook }) {
				return first
			}
			return p.follower.State().Seq
		},
		Log: p.events, Place: place, Agent: "ficus/" + Version(), Logger: p.log,
	})
	return nil
}

// toldTogether is the place in Redis of all gateways of one log: one of them at
// a time tells a hook.
type toldTogether struct {
	client redis.UniversalClient
	key    func(thing string) string
	name   string // of this gateway, unlike any other
}

const (
	toldLease = 20 * time.Second    // after which another gateway tells a hook
	toldKept  = 90 * 24 * time.Hour // how long is kept how far a hook that is in no config any more was told
)

// hold takes or renews the lease of a hook, KEYS[1], for ARGV[1], and returns
// how far it was told, KEYS[2]; nothing if somebody else has the lease.
var hold = redis.NewScript(`
local who = redis.call('GET', KEYS[1])
if who and who ~= ARGV[1] then return false end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], ARGV[3], 'NX')
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return redis.call('GET', KEYS[2])`)

// tell keeps how far a hook was told, if ARGV[1] still has the lease.
var tell = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return 'OK'`)

// release gives the lease up.
var release = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 'OK'`)

func (t *toldTogether) keys(hook string) []string {
	return []string{t.key("telling:" + hook), t.key("told:" + hook)}
}

// Hold takes or renews the lease of a hook.
func (t *toldTogether) Hold(ctx context.Context, hook string, begin uint64) (uint64, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, toldLease/4)
	defer cancel()
	text, err := hold.Run(ctx, t.client, t.keys(hook), t.name, toldLease.Milliseconds(), begin, toldKept.Milliseconds()).Text()
	if errors.Is(err, redis.Nil) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("asking who tells the hook: %w", err)
	}
	told, err := strconv.ParseUint(text, 10, 64)
	return told, err == nil, err
}

// errTaken is the error of a gateway that another one has replaced.
var errTaken = errors.New("another gateway tells this hook")

// Told keeps how far a hook was told.
func (t *toldTogether) Told(ctx context.Context, hook string, seq uint64) error {
	ctx, cancel := context.WithTimeout(ctx, toldLease/4)
	defer cancel()
	err := tell.Run(ctx, t.client, t.keys(hook), t.name, seq, toldKept.Milliseconds()).Err()
	if errors.Is(err, redis.Nil) {
		return errTaken
	}
	return err
}

// Release gives the lease of a hook up.
func (t *toldTogether) Release(ctx context.Context, hook string) error {
	return release.Run(ctx, t.client, t.keys(hook), t.name).Err()
}

// tellOfTrip tells the hooks that this gateway acts upon a rollback alone, or
// that this is over.
func (p *Process) tellOfTrip(o migrations.Trip, over migrations.Standing) {
	e := o.Event
	n := notify.Notice{
		Event: routes.Tripped, Migration: e.Migration, Cell: e.Cell, Cause: e.Cause, Actor: e.Actor, Reason: e.Reason, TraceID: e.TraceID, Gateway: hostname(),
	}
	n.Text = fmt.Sprintf("%s: everybody is sent to the monolith by gateway %s alone, since the event log is out of reach: %s", placeOf(e), n.Gateway, e.Reason)
	if over != "" {
		n.Event = routes.Untripped
		n.Text = fmt.Sprintf("%s: gateway %s goes by the event log again, which has the rollback", placeOf(e), n.Gateway)
		if over == migrations.TripCleared {
			n.Text = fmt.Sprintf("%s: gateway %s goes by the event log again, in which somebody has decided something newer", placeOf(e), n.Gateway)
		}
	}
	p.teller.Tell(n)
}

// tellOfLag tells the hooks that synced data lags behind, or no longer does.
func (p *Process) tellOfLag(l lagNews) {
	n := notify.Notice{Event: routes.Behind, Migration: l.Migration, Cause: migrations.CauseLag, Reason: l.Trouble, Gateway: hostname()}
	n.Text = fmt.Sprintf("%s: %s, as gateway %s measures it: no step forward, no fallback and no automatic rollback until it has caught up", l.Migration, l.Trouble, n.Gateway)
	if l.Trouble == "" {
		n.Event = routes.Current
		n.Text = fmt.Sprintf("%s: the data has caught up, as gateway %s measures it: %s behind", l.Migration, n.Gateway, l.Lag.Behind)
	}
	p.teller.Tell(n)
}

// placeOf names the migration of an event, and its cell.
func placeOf(e migrations.Event) string {
	return strings.TrimSuffix(e.Migration+"/"+e.Cell, "/")
}

// hostname is what people know this gateway by.
func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}
