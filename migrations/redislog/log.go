package redislog

import (
	"context"
	"crypto/tls"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ficus-gateway/ficus/migrations"
)

// blockFor is how long one read waits for new events. When it ends without
// any, the stream is looked at: whether it still has what was seen.
const blockFor = 500 * time.Millisecond

// Options are what does not belong into a URL, and the parts of a log that
// need not be the usual ones.
type Options struct {
	PasswordEnv  string // environment variable that has the password; read at each connection
	PasswordFile string // file that has it, instead; read at each connection

	SentinelUser         string // user of the sentinels themselves, if they want one
	SentinelPasswordEnv  string
	SentinelPasswordFile string

	TLS      *tls.Config   // with a scheme that says TLS: certificate authorities and the like; nil: those of the system
	Timeout  time.Duration // to connect, and for each answer; 0: 500 ms
	Patience time.Duration // how long an append is tried again while Redis is out of reach; 0: 2 s, negative: not at all
	Seen     Tip           // what an earlier run has seen: a log without it is lost
	Logger   *slog.Logger  // is told of lost and restored logs, and of settings that put them at risk; nil: slog.Default()
}

// A Tip is a place in a log: an event, and the hash of its line. A zero Hash
// means that only the number is known.
type Tip struct {
	Seq  uint64          `json:"seq"`
	Hash migrations.Hash `json:"hash"`
}

// A Log is a [migrations.Log] in a Redis stream, which others may write at the
// same time. Its methods may be called from anywhere.
type Log struct {
	*door
	stream   string // its key
	logger   *slog.Logger
	patience time.Duration
	client   *renewal
	clock    clock

	life context.Context // ends with Close
	end  context.CancelFunc

	mu   sync.Mutex // guards the following
	seen Tip        // the newest event that was read or appended

	turn   chan struct{}    // holds one token; who has it owns the following
	fold   *migrations.Fold // of the events up to the reader's place
	reader *reader
}

// Open opens the log that url leads to, which need not exist yet, and reads it.
//
// A Redis that is out of reach, and one that has lost the log, are no error:
// the gateway serves on with the state that it kept, and [Log.Head] tells.
// An error is what only a person can put right, unless an earlier run has seen
// the log: then there is something to serve by, and that is no error either.
func Open(ctx context.Context, url string, o Options) (*Log, error) {
	d, err := newDoor(url, o)
	if err != nil {
		return nil, err
	}
	client, err := newRenewal(func() (redis.UniversalClient, error) { return d.newClient(d.dial, d.timeout) })
	if err != nil {
		return nil, err
	}
	l := &Log{
		door: d, stream: d.key("events"), logger: o.Logger, patience: o.Patience, client: client,
		seen: o.Seen, turn: make(chan struct{}, 1),
	}
	if l.logger == nil {
		l.logger = slog.Default()
	}
	if l.patience == 0 {
		l.patience = 2 * time.Second
	}
	l.life, l.end = context.WithCancel(context.Background())
	l.restart()
	_, err = l.catchUp(ctx, "")
	l.turn <- struct{}{}
	switch t := TroubleOf(err); {
	case err == nil:
		l.lookAtSettings(ctx)
	case ctx.Err() != nil:
		client.close()
		return nil, ctx.Err()
	case t.Passes() || t == Lost || t != "" && o.Seen.Seq > 0:
		l.logger.Warn("the event log cannot be read; what is known of it stands meanwhile", "log", d.String(), "trouble", t, "error", err)
	default:
		client.close()
		return nil, err
	}
	return l, nil
}

// Close ends followers and appends with [migrations.ErrClosed].
func (l *Log) Close() error {
	if l.life.Err() != nil {
		return nil
	}
	l.end()
	return l.client.close()
}

// String writes the URL of the log, without user and password.
func (l *Log) String() string { return l.door.String() }

// Head returns the sequence number of the last event in Redis. It returns
// [ErrLost] if that is not what was seen, or does not follow from it.
func (l *Log) Head(ctx context.Context) (uint64, error) {
	if err := l.over(ctx); err != nil {
		return 0, err
	}
	r := l.from(0)
	r.at = l.seenTip()
	p, err := again(ctx, func() (page, error) {
		p, err := r.read(ctx, l.client.get(), 1)
		return p, l.client.learn(err)
	})
	if err != nil {
		if over := l.over(ctx); over != nil {
			return 0, over
		}
		return 0, err
	}
	return p.head, nil
}

// Seen returns the newest event that was read or appended. Kept and given to
// the next Open, it shows whether the log is still there.
func (l *Log) Seen() Tip { return l.seenTip() }

// Adopt gives up what was seen, and takes the log as it is now for the truth.
// It is for a person to decide, after [ErrLost]; an empty log is refused. It
// returns the state, with which followers begin again.
func (l *Log) Adopt(ctx context.Context) (migrations.State, error) {
	if err := l.take(ctx); err != nil {
		return migrations.State{}, err
	}
	defer l.give()
	before := l.seenTip()
	l.see(Tip{})
	l.restart()
	_, err := l.catchUp(ctx, "")
	if err == nil && l.reader.at.Seq == 0 {
		err = l.lost("it is empty, so there is nothing to adopt; begin it again with the state of event %d instead", before.Seq)
	}
	if err != nil {
		l.see(before)
		l.restart()
		return migrations.State{}, err
	}
	l.logger.Warn("what was seen of the event log was given up for what Redis has now", "log", l.String(), "seen", before.Seq, "head", l.reader.at.Seq)
	return l.fold.State(), nil
}

// over returns why nothing can be done any more, nil if it can.
func (l *Log) over(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		<-ctx.Done() // a connection with the same deadline may have been a little faster
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if l.life.Err() != nil {
		return migrations.ErrClosed
	}
	return nil
}

// take waits for the turn to append, which give passes on.
func (l *Log) take(ctx context.Context) error {
	if err := l.over(ctx); err != nil {
		return err
	}
	select {
	case <-l.turn:
		return nil
	case <-ctx.Done():
	case <-l.life.Done():
	}
	return l.over(ctx)
}

func (l *Log) give() { l.turn <- struct{}{} }

// restart forgets what was folded. It needs the turn.
func (l *Log) restart() {
	l.fold, l.reader = new(migrations.Fold), l.from(0)
}

// catchUp reads on to the end of the stream. It needs the turn. It returns
// Redis' time and, if an Append with the id mine is among what it read, its
// last event.
func (l *Log) catchUp(ctx context.Context, mine string) (c caught, err error) {
	for full := true; full; {
		p, err := l.reader.read(ctx, l.client.get(), pageLength)
		if l.client.learn(err) != nil {
			return c, err
		}
		if p.begins {
			l.fold = new(migrations.Fold)
		}
		for _, e := range p.entries {
			if err := l.fold.Apply(e.event); err != nil {
				l.restart()
				return c, l.foreign(err)
			}
			if e.append == mine {
				c.mine = e.event.Seq
			}
		}
		c.now, full = p.now, p.full
	}
	return c, nil
}

// caught is where catchUp has got to.
type caught struct {
	now  time.Time
	mine uint64 // 0 if there is none
}

func (l *Log) seenTip() Tip {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen
}

func (l *Log) see(t Tip) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = t
}

// same compares the entry at a place with what was seen there.
func (l *Log) same(seen Tip, now *raw) error {
	if now == nil || seen.Hash == (migrations.Hash{}) {
		return nil
	}
	if h, err := now.lineHash(); err != nil || h != seen.Hash {
		return l.lost("it has another event %d than before", seen.Seq)
	}
	return nil
}

// witness compares entries with what had been seen before they were asked
// for, and remembers the newest.
func (l *Log) witness(seen Tip, entries []entry) error {
	for _, e := range entries {
		if e.event.Seq == seen.Seq && seen.Hash != (migrations.Hash{}) && e.hash != seen.Hash {
			return l.lost("it has another event %d than before", seen.Seq)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range entries {
		if e.event.Seq > l.seen.Seq || e.event.Seq == l.seen.Seq && l.seen.Hash == (migrations.Hash{}) {
			l.seen = Tip{e.event.Seq, e.hash}
		}
	}
	return nil
}

// again does something a second time at once if the connection was to blame:
// one that was broken meanwhile is replaced by that.
func again[T any](ctx context.Context, do func() (T, error)) (T, error) {
	v, err := do()
	if TroubleOf(err) == Down && ctx.Err() == nil {
		v, err = do()
	}
	return v, err
}

// lookAtSettings says aloud what would lose the log one day.
func (l *Log) lookAtSettings(ctx context.Context) {
	if l.form == cluster {
		return // any node may answer
	}
	info, err := l.client.get().Info(ctx, "persistence", "memory").Result()
	if err != nil {
		return // not everybody is allowed to ask
	}
	has := func(setting string) bool { return strings.Contains(info, "\n"+setting) }
	if has("aof_enabled:0") {
		l.logger.Warn("this Redis does not keep every event on disk: a crash of it loses some or all, which stops every migration; set appendonly to yes", "log", l.String())
	}
	if has("maxmemory_policy:allkeys") {
		l.logger.Warn("this Redis may throw the event log away to make room for others; set maxmemory-policy to noeviction or one of volatile-*", "log", l.String())
	}
}
