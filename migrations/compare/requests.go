package compare

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/migrations/condition"
)

// A Request is what a compared request was like. It holds no value that its
// user has sent: names only, and classes of sizes.
type Request struct {
	Features string // as [condition.Sample] has them, a feature a line
	Route    string // id
	Cohort   string // empty: none
	Cell     string // empty: the migration has none
	Upstream string // endpoint of the service that was asked, as a URL; empty: none answered
	User     uint64 // salted hash of its targeting key, or of the network; 0: not known
}

// features lists what the request was like.
func (r *Request) features() []string {
	var list []string
	_, address, ok := strings.Cut(r.Upstream, "://")
	if !ok {
		address = r.Upstream
	}
	for _, f := range [...]struct{ kind, value string }{{"route=", r.Route}, {"cohort=", r.Cohort}, {"cell=", r.Cell}, {"upstream=", address}} {
		if f.value != "" {
			list = append(list, f.kind+f.value)
		}
	}
	for line := range strings.Lines(r.Features) {
		list = append(list, strings.TrimSuffix(line, "\n"))
	}
	return list
}

// Bounds of the requests that are kept in memory, to tell by them which
// requests differ.
const (
	agreeingKept  = 64      // of one endpoint
	differingKept = 32      // of one finding
	requestLists  = 128     // endpoints, and as many findings; those longest not seen have to go
	featureBytes  = 1 << 10 // of one request
)

// Requests are what some of the compared requests were like: those that agreed,
// by endpoint, and those that differed, by finding. Nothing of it is written
// anywhere.
type Requests struct {
	agreeing  map[string]*requestList // by endpoint
	differing map[string]*requestList // by id of the finding
	random    *rand.Rand
}

func newRequests(seed uint64) *Requests {
	return &Requests{agreeing: make(map[string]*requestList), differing: make(map[string]*requestList), random: rand.New(rand.NewPCG(seed, 0xfea7))}
}

// A requestList is one list of them. Of each user it has one at most.
type requestList struct {
	list    []keptRequest
	last    time.Time
	seen    uint64
	wanted  int  // agreeing ones of the time of differing ones, to be held against them
	sampled bool // it does not have a request of every user

	where *where // what was made of the list; nil: it has changed since
}

type keptRequest struct {
	Request
	at      time.Time
	key     Mark // by which it can be erased
	network uint32
	goods   uint64 // that had agreed at the endpoint by then
}

// observe keeps what an observation was like, if it is needed; found is the
// finding that it belongs to, nil if it agreed.
func (r *Requests) observe(o *Observation, found *Finding) {
	if o.Request == (Request{}) || o.Drift.Race() || found == nil && o.Result.Outcome != Match {
		return
	}
	agreeing := r.at(r.agreeing, o.Endpoint, o.Time)
	x := keptRequest{Request: o.Request, at: o.Time, key: o.Key, network: o.Network, goods: agreeing.seen}
	if found != nil {
		agreeing.wanted = min(agreeing.wanted+2, 8)
		r.at(r.differing, found.ID, o.Time).put(x, differingKept)
		return
	}
	agreeing.seen++
	switch {
	case len(agreeing.list) < agreeingKept:
	case agreeing.wanted > 0:
		agreeing.wanted--
	case r.random.Uint64N(agreeing.seen) >= agreeingKept: // the rest is drawn evenly from all
		agreeing.sampled = true
		return
	}
	agreeing.put(x, agreeingKept)
	for id := range r.differing { // few; what was said of them may be otherwise now
		if of := r.differing[id]; of.where != nil && of.where.endpoint == o.Endpoint {
			of.where = nil
		}
	}
}

// at returns a list, made if there is none; the one longest not seen makes room.
func (r *Requests) at(lists map[string]*requestList, name string, now time.Time) *requestList {
	l := lists[name]
	if l == nil {
		if len(lists) >= requestLists {
			oldest := ""
			for other, of := range lists {
				if oldest == "" || of.last.Before(lists[oldest].last) || of.last.Equal(lists[oldest].last) && other < oldest {
					oldest = other
				}
			}
			delete(lists, oldest)
		}
		l = &requestList{}
		lists[name] = l
	}
	l.last = now
	return l
}

// put adds a request in place of one of the same user, or of the oldest one. Of
// a network that has more than its share of a full list one of its own has to
// go, so that one party does not crowd out all others.
func (l *requestList) put(x keptRequest, most int) {
	l.where = nil
	cut := x.Features[:min(len(x.Features), featureBytes)]
	x.Features = strings.Clone(cut[:strings.LastIndexByte(cut, '\n')+1])
	i := -1
	if x.User != 0 {
		i = slices.IndexFunc(l.list, func(o keptRequest) bool { return o.User == x.User })
	}
	switch {
	case i >= 0:
	case len(l.list) < most:
		l.list = append(l.list, x)
		return
	default:
		l.sampled = true
		i = l.replaceable(most)
	}
	l.list[i] = x
}

// replaceable returns the position of the request that goes next.
func (l *requestList) replaceable(most int) int {
	of := make(map[uint32]int)
	for _, x := range l.list {
		if x.network != 0 {
			of[x.network]++
		}
	}
	crowd, crowded := uint32(0), most/4-1
	for _, x := range l.list {
		if of[x.network] > crowded {
			crowd, crowded = x.network, of[x.network]
		}
	}
	oldest := -1
	for i, x := range l.list {
		if (crowd == 0 || x.network == crowd) && (oldest < 0 || x.at.Before(l.list[oldest].at)) {
			oldest = i
		}
	}
	return oldest
}

// drop removes the requests that say so.
func (l *requestList) drop(gone func(*keptRequest) bool) {
	before := len(l.list)
	l.list = slices.DeleteFunc(l.list, func(x keptRequest) bool { return gone(&x) })
	if len(l.list) < before {
		l.where = nil
	}
}

// each calls f with every list.
func (r *Requests) each(f func(*requestList)) {
	for _, lists := range [...]map[string]*requestList{r.agreeing, r.differing} {
		for _, l := range lists {
			f(l)
		}
	}
}

// sweep drops what is past the retention.
func (r *Requests) sweep(now time.Time, retention time.Duration) {
	for _, lists := range [...]map[string]*requestList{r.agreeing, r.differing} {
		for name, l := range lists {
			l.drop(func(x *keptRequest) bool { return now.Sub(x.at) > retention })
			if len(l.list) == 0 {
				delete(lists, name)
			}
		}
	}
}

// rename moves what belongs to an endpoint, before its findings are moved, to
// the one that took it in.
func (r *Requests) rename(from, to string, f *Findings) {
	if from == to {
		return
	}
	move(r.agreeing, from, to, agreeingKept)
	for id, g := range f.byID {
		if g.Endpoint == from {
			move(r.differing, id, findingID(to, g.Signs), differingKept)
		}
	}
}

func move(lists map[string]*requestList, from, to string, most int) {
	old, into := lists[from], lists[to]
	delete(lists, from)
	switch {
	case old == nil:
	case into == nil:
		old.where = nil
		lists[to] = old
	default:
		for _, x := range old.list {
			into.put(x, most)
		}
		into.seen, into.sampled = into.seen+old.seen, into.sampled || old.sampled
	}
}

// samples returns the requests as the search for a condition takes them.
func (l *requestList) samples(into []condition.Sample, outcome string) []condition.Sample {
	if l == nil {
		return into
	}
	weight := 1
	if l.sampled {
		weight = 2
	}
	for i := range l.list {
		x := &l.list[i]
		into = append(into, condition.Sample{
			Features: x.features(), Bad: outcome != "", Outcome: outcome, User: x.User, At: x.at.UnixNano(), Weight: weight, Goods: x.goods,
		})
	}
	return into
}
