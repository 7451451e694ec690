// Package load is the shop's customers: people who look around, log in, list
// their orders, look at one and buy more, each with the cookies of a browser.
//
//	report := load.Run(ctx, load.Config{Target: "http://127.0.0.1:8080", Rate: 200, For: time.Minute})
//	fmt.Println(report)
//	report.TurnedBack(time.Time{}, time.Time{}) // who was sent back to the monolith
//
// It is a closed loop: a customer waits for an answer before asking again. It
// reads every answer, and knows what must be in it.
package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"sync"
	"time"

	"github.com/ficus-gateway/ficus/examples/shop"
)

// A Config says who asks for what. Only Target must be set.
type Config struct {
	Target   string        // URL of the shop, without a path
	Users    int           // customers who log in, as the first of the seeded ones; 0 with no Guests: 20
	Guests   int           // customers without an account
	Rate     float64       // requests per second of all together; 0: as fast as answers come
	Requests int           // begin nothing after so many requests; 0: no bound
	For      time.Duration // begin nothing after so long; 0: no bound
	Timeout  time.Duration // of one request; 0: 30 s
	Seed     uint64        // equal seeds give each customer the same wishes
	Mix      Mix
}

// A Mix says how often customers do what, relative to one another. The zero
// value is a usual day.
type Mix struct{ Browse, List, Show, Create, Cart int }

var usualDay = Mix{Browse: 40, List: 25, Show: 20, Create: 10, Cart: 5}

// A Load is customers on their way.
type Load struct {
	config  Config
	target  *url.URL
	started time.Time
	pacer   *pacer
	client  *http.Transport

	mu    sync.Mutex // guards tally
	tally *tally
}

// New returns a load that has not begun.
func New(c Config) (*Load, error) {
	target, err := url.Parse(c.Target)
	if err != nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https" {
		return nil, fmt.Errorf("load: %q is not the URL of a shop; write it as http://127.0.0.1:8080", c.Target)
	}
	m := c.Mix
	if c.Rate < 0 || c.Users < 0 || c.Guests < 0 || c.Requests < 0 || min(m.Browse, m.List, m.Show, m.Create, m.Cart) < 0 {
		return nil, errors.New("load: less than none was asked for")
	}
	if c.Users == 0 && c.Guests == 0 {
		c.Users = 20
	}
	c.Timeout = cmp.Or(c.Timeout, 30*time.Second)
	c.Mix = cmp.Or(c.Mix, usualDay)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	transport.MaxIdleConnsPerHost = c.Users + c.Guests
	transport.MaxIdleConns = 0
	return &Load{config: c, target: target, pacer: newPacer(c.Rate), client: transport, tally: newTally()}, nil
}

// Run lets customers in until ctx ends or a bound is reached, and waits for
// the answers to what they have begun. It may be called once.
func (l *Load) Run(ctx context.Context) *Report {
	defer l.client.CloseIdleConnections()
	if l.config.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.config.For)
		defer cancel()
	}
	l.mu.Lock()
	l.started = time.Now()
	l.mu.Unlock()
	var all sync.WaitGroup
	for n := 1; n <= l.config.Users+l.config.Guests; n++ {
		all.Go(func() { l.customer(n).run(ctx) })
	}
	all.Wait()
	return l.Snapshot()
}

// Run runs a load to its end. A config that makes no sense is a report with
// its Err set.
func Run(ctx context.Context, c Config) *Report {
	l, err := New(c)
	if err != nil {
		return &Report{Err: err}
	}
	return l.Run(ctx)
}

// customer returns the n-th customer, from 1; those with an account come first.
func (l *Load) customer(n int) *customer {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // it has no way to fail
	}
	c := &customer{load: l, totals: make(map[string]shop.Money), tags: make(map[string]string)}
	c.client = &http.Client{
		Transport:     l.client,
		Jar:           jar,
		Timeout:       l.config.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if n <= l.config.Users {
		c.account, c.name = n, fmt.Sprintf("customer%d", n)
	} else {
		c.name = fmt.Sprintf("guest%d", n-l.config.Users)
	}
	c.rng = newRand(l.config.Seed, c.name)
	return c
}

// enough reports whether nothing more is to begin.
func (l *Load) enough() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.config.Requests > 0 && l.tally.requests >= l.config.Requests
}
