package filelog

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// Options are the parts of a log that need not be the usual ones.
type Options struct {
	Logger *slog.Logger     // is told of torn lines, lost files and failing disks; nil: slog.Default()
	Now    func() time.Time // stamps the events; nil: time.Now
}

func (o *Options) fill() {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

// A Log is a [migrations.Log] in a file that this process alone writes. Its
// methods may be called from anywhere.
type Log struct {
	path   string
	logger *slog.Logger
	now    func() time.Time
	lock   *os.File
	file   disk // written by commits alone, which touches nothing before length

	closing      chan struct{} // closed by Close
	committed    chan struct{} // closed by commits when it ends
	checkpointed chan struct{} // closed by checkpoints when it ends

	mu sync.Mutex // guards the following
	onDisk
	staged  tip           // what the log is once pending is on disk
	pending *batch        // appends that wait for commits; nil if there are none
	flying  *batch        // the batch that commits is writing
	kick    chan struct{} // holds one token while pending waits; closed by Close
	changed chan struct{} // closed and replaced at each commit, closed for good when flushed
	broken  error         // why nothing can be appended any more
	closed  bool          // no more appends
	flushed bool          // and none under way
}

// A tip is the end of the log.
type tip struct {
	state migrations.State
	hash  migrations.Hash // of the last line
}

// onDisk is the part of the log that survives a crash.
type onDisk struct {
	tip
	first   uint64  // seq of the first event; 0 if there is none
	offsets []int64 // where the line of each event begins
	length  int64   // of the file, in bytes
}

func (d *onDisk) add(e entry) {
	if d.first == 0 {
		d.first = e.event.Seq
	}
	d.offsets = append(d.offsets, e.offset)
}

// endOf returns the offset behind a line, counted from 0.
func (d *onDisk) endOf(line int) int64 {
	if line+1 < len(d.offsets) {
		return d.offsets[line+1]
	}
	return d.length
}

// Open opens the log at path, or begins one. The directory must exist.
func Open(path string, options Options) (*Log, error) {
	options.fill()
	locked, err := lock(path)
	if err != nil {
		return nil, err
	}
	return open(path, options, locked, nil)
}

// open opens the log that is locked. Ahead is what has been read of it; nil: nothing.
func open(path string, options Options, locked *os.File, ahead *replay) (*Log, error) {
	l := &Log{
		path: path, logger: options.Logger, now: options.Now, lock: locked,
		closing: make(chan struct{}), committed: make(chan struct{}), checkpointed: make(chan struct{}),
		kick: make(chan struct{}, 1), changed: make(chan struct{}),
	}
	kept, err := l.load(ahead)
	if err != nil {
		_ = unlock(locked)
		return nil, err
	}
	l.staged = l.tip
	go l.commits()
	go l.checkpoints(kept)
	return l, nil
}

// Close waits for appends under way, keeps the state beside the log and gives
// the lock up. Followers end with [migrations.ErrClosed].
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		<-l.checkpointed
		return nil
	}
	l.closed = true
	close(l.kick)
	l.mu.Unlock()
	close(l.closing)
	<-l.committed
	l.mu.Lock()
	l.flushed = true
	close(l.changed)
	l.mu.Unlock()
	<-l.checkpointed
	return errors.Join(l.file.Close(), unlock(l.lock))
}

// Head returns the sequence number of the last event that is on disk.
func (l *Log) Head(ctx context.Context) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, migrations.ErrClosed
	}
	return l.state.Seq, ctx.Err()
}

// section reads a part of the file, from one offset to another.
func section(file io.ReaderAt, from, to int64) io.Reader {
	return io.NewSectionReader(file, from, to-from)
}
