package redislog

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ficus-gateway/ficus/migrations"
)

// pageLength is how many entries are asked for at once.
const pageLength = 200

// A reader reads the stream entry by entry and verifies the chain.
type reader struct {
	log *Log
	at  Tip
	// Whether at.Hash is what we have seen, rather than what to begin with.
	verified bool
}

// A page is what a reader reads at once.
type page struct {
	now     time.Time // Redis' clock
	entries []entry   // after those read before
	begins  bool      // the first entry is the first of a log
	full    bool      // there may be more
	head    uint64    // last event of the stream, 0 if it is empty
}

// reply is what readScript returns.
type reply struct {
	now         time.Time
	page        []raw
	first, last *raw // nil if there is none
	seen        *raw // what is now where we have seen an event; nil if there is none
}

// from returns a reader of the events after seq.
func (l *Log) from(seq uint64) *reader { return &reader{log: l, at: Tip{Seq: seq}, verified: seq == 0} }

// read reads the next entries, limit at most. It does not move the reader
// unless all of them are right.
func (r *reader) read(ctx context.Context, client redis.Scripter, limit int) (page, error) {
	seen := r.log.seenTip() // before asking: the answer must not be older
	re, err := r.log.ask(ctx, client, r.at.Seq, seen.Seq, limit+1)
	if err != nil {
		return page{}, err
	}
	p := page{now: re.now, full: len(re.page) > limit}
	if re.last != nil {
		p.head = re.last.seq
	}
	if err := r.log.same(seen, re.seen); err != nil {
		return p, err
	}
	next := *r
	begins := r.at.Seq == 0
	switch {
	case r.at.Seq == 0:
	case len(re.page) > 0 && re.page[0].seq == r.at.Seq:
		h, err := re.page[0].lineHash()
		if err != nil {
			return p, r.log.foreign(err)
		}
		if r.at.Hash != (migrations.Hash{}) && h != r.at.Hash {
			return p, r.log.lost("it has another event %d than before", r.at.Seq)
		}
		next.at.Hash, next.verified = h, true
		re.page = re.page[1:]
	default:
		ok, err := next.relocate(re, seen)
		if err != nil {
			return p, err
		}
		if ok {
			p, err := next.read(ctx, client, limit)
			if err == nil {
				*r = next
			}
			return p, err
		}
		re.page = nil
	}
	if p.entries, err = next.verify(re.page); err != nil {
		return p, r.log.foreign(err)
	}
	p.begins = begins && len(p.entries) > 0
	if p.begins {
		if e := p.entries[0].event; e.Seq != 1 && e.Kind != migrations.Restored {
			return p, r.log.foreign(fmt.Errorf("it begins with event %d, so something else has taken out those before", e.Seq))
		}
	}
	if p.head == 0 && seen.Seq > 0 {
		return p, r.log.vacant(re.now, seen.Seq)
	}
	if p.head < seen.Seq {
		return p, r.log.lost("it ends at event %d, and event %d was seen", p.head, seen.Seq)
	}
	if err := r.log.witness(seen, p.entries); err != nil {
		return p, err
	}
	*r = next
	return p, nil
}

// relocate decides what it means that the entry at which the reader stands is
// not there. It returns true if there is a place from which to read on.
func (r *reader) relocate(re reply, seen Tip) (bool, error) {
	if re.first != nil && re.first.seq > r.at.Seq {
		e, err := re.first.verify(migrations.Hash{})
		if err != nil {
			return false, r.log.foreign(err)
		}
		if e.event.Kind != migrations.Restored {
			return false, r.log.foreign(fmt.Errorf("it begins with event %d, so something else has taken out those before", e.event.Seq))
		}
		if r.verified {
			r.log.logger.Warn("the event log begins again with a state", "log", r.log.String(), "event", e.event.Seq, "actor", e.event.Actor, "reason", e.event.Reason)
		}
		r.at, r.verified = Tip{}, true
		return true, nil
	}
	switch {
	case re.last == nil && (r.verified || seen.Seq > 0):
		return false, r.log.vacant(re.now, seen.Seq)
	case re.last == nil: // event r.at.Seq may come
		r.at, r.verified = Tip{}, true
		return false, nil
	case re.last.seq > r.at.Seq:
		return false, r.log.foreign(fmt.Errorf("event %d is missing between others", r.at.Seq))
	case r.verified || re.last.seq < seen.Seq:
		return false, r.log.lost("it ends at event %d, and event %d was seen", re.last.seq, max(r.at.Seq, seen.Seq))
	}
	h, err := re.last.lineHash() // event r.at.Seq may come
	if err != nil {
		return false, r.log.foreign(err)
	}
	r.at, r.verified = Tip{re.last.seq, h}, true
	return false, nil
}

// verify decodes what follows the entry at which the reader stands, and moves
// it on.
func (r *reader) verify(raws []raw) ([]entry, error) {
	entries := make([]entry, 0, len(raws))
	for _, raw := range raws {
		e, err := raw.verify(r.at.Hash)
		if err != nil {
			return nil, err
		}
		if r.at.Seq != 0 && e.event.Seq != r.at.Seq+1 {
			return nil, fmt.Errorf("event %d follows event %d", e.event.Seq, r.at.Seq)
		}
		r.at, r.verified = Tip{e.event.Seq, e.hash}, true
		entries = append(entries, e)
	}
	return entries, nil
}

// await waits for entries after those read, for blockFor at most. Nil means
// that none came, or that the stream is not what it was: read again.
func (r *reader) await(ctx context.Context, w *wire) ([]entry, error) {
	ctx, cancel := context.WithTimeout(ctx, blockFor+r.log.timeout)
	defer cancel()
	cmd := redis.NewCmd(ctx, "xread", "count", pageLength, "block", blockFor.Milliseconds(), "streams", r.log.stream, entryID(r.at.Seq))
	cmd.SetFirstKeyPos(6)
	_ = w.Process(ctx, cmd)
	answer, err := cmd.Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, r.log.trouble(err)
	}
	raws, err := readStreams(answer)
	if err != nil {
		return nil, r.log.foreign(err)
	}
	next := *r
	entries, err := next.verify(raws)
	if err != nil {
		return nil, nil // reading again tells a replaced stream from a foreign entry
	}
	if err := r.log.witness(r.log.seenTip(), entries); err != nil {
		return nil, err
	}
	*r = next
	return entries, nil
}

// ask runs readScript from event seq on.
func (l *Log) ask(ctx context.Context, client redis.Scripter, seq, seen uint64, limit int) (re reply, err error) {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	from := "-"
	if seq > 0 {
		from = entryID(seq)
	}
	answer, err := readScript.Run(ctx, client, []string{l.stream}, from, limit, entryID(seen)).Slice()
	if err != nil {
		return re, l.trouble(err)
	}
	if len(answer) != 5 {
		return re, l.foreign(errors.New("the reply does not have five parts"))
	}
	if re.now, err = readTime(answer[0]); err != nil {
		return re, l.foreign(err)
	}
	l.clock.heard(re.now)
	if re.page, err = readRaws(answer[1]); err != nil {
		return re, l.foreign(err)
	}
	for i, p := range []**raw{&re.first, &re.last, &re.seen} {
		raws, err := readRaws(answer[2+i])
		if err != nil {
			return re, l.foreign(err)
		}
		if len(raws) > 0 {
			*p = &raws[0]
		}
	}
	return re, nil
}

func readRaws(answer any) ([]raw, error) {
	list, _ := answer.([]any)
	raws := make([]raw, 0, len(list))
	for _, item := range list {
		r, err := readRaw(item)
		if err != nil {
			return nil, err
		}
		raws = append(raws, r)
	}
	return raws, nil
}

// readStreams reads the reply of XREAD for one stream.
func readStreams(answer any) ([]raw, error) {
	streams, _ := answer.([]any)
	if len(streams) != 1 {
		return nil, errors.New("not the reply of one stream")
	}
	pair, _ := streams[0].([]any)
	if len(pair) != 2 {
		return nil, errors.New("not the reply of one stream")
	}
	return readRaws(pair[1])
}

// readTime reads the reply of TIME.
func readTime(answer any) (time.Time, error) {
	pair, _ := answer.([]any)
	if len(pair) == 2 {
		seconds, _ := pair[0].(string)
		micros, _ := pair[1].(string)
		s, err := strconv.ParseInt(seconds, 10, 64)
		us, err2 := strconv.ParseInt(micros, 10, 64)
		if err == nil && err2 == nil {
			return time.Unix(s, us*1000).UTC(), nil
		}
	}
	return time.Time{}, errors.New("not the reply of TIME")
}
