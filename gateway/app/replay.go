package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

type replayCommand struct {
	offline
	Har     string        `name:"har" help:"HTTP Archive, as the network panel of a browser exports it." required:"" type:"existingfile" placeholder:"FILE"`
	Legacy  string        `help:"Side to trust." required:"" placeholder:"URL"`
	Modern  string        `help:"Side to compare with it." required:"" placeholder:"URL"`
	Unsafe  bool          `help:"Send POST, PUT, PATCH and DELETE as well: they write, on both sides."`
	Once    bool          `help:"Do not ask the legacy side twice, by which it is learned what differs from itself."`
	Keep    string        `help:"Directory for both answers of each request at which they differ, as files for ficus compare. They hold what the answers hold." type:"path" placeholder:"DIR"`
	Timeout time.Duration `help:"For one answer. Default: ${default}." default:"10s" placeholder:"TIME"`
}

// Help says what the exit code means.
func (replayCommand) Help() string {
	return `Both sides are asked each recorded request, one after the other, with the cookies and credentials that were
recorded. Exit code 0: nothing was found; 1: something was, or nothing could be compared.

    ficus replay --har shop.har --legacy http://localhost:3000 --modern http://localhost:3001`
}

// A replayed is what replay writes as JSON.
type replayed struct {
	Kept       int                  `json:"kept,omitempty"` // requests whose answers were written to --keep
	Comparison dashboard.Comparison `json:"comparison"`
	Findings   []dashboard.Finding  `json:"findings"`
}

// Run asks both sides what the file holds.
func (rc replayCommand) Run(c *call) error {
	legacy, err := sideURL("--legacy", rc.Legacy)
	if err != nil {
		return err
	}
	modern, err := sideURL("--modern", rc.Modern)
	if err != nil {
		return err
	}
	rules, err := rc.rules(hostsOf(legacy, modern)...)
	if err != nil {
		return err
	}
	requests, err := readHAR(rc.Har)
	if err != nil {
		return exitCode{exitUsage, err}
	}
	if rc.Keep != "" {
		if rc.Mask {
			return exitCode{exitUsage, errors.New("--keep writes answers as they are: leave it out, or --mask")}
		}
		if err := os.MkdirAll(rc.Keep, 0o700); err != nil {
			return fmt.Errorf("--keep: %w", err)
		}
	}
	r := newReplay(rc, rules, legacy, modern)
	defer r.client.CloseIdleConnections()
	for _, q := range requests {
		if c.ctx.Err() != nil {
			return c.ctx.Err()
		}
		if err := r.one(c.ctx, q); err != nil {
			return err
		}
	}
	return r.report(c)
}

func sideURL(flag, text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" {
		return nil, exitCode{exitUsage, fmt.Errorf("%s: write a URL as in http://localhost:3000", flag)}
	}
	return u, nil
}

// A replay asks two sides the same.
type replay struct {
	replayCommand
	rules          *compare.Rules
	legacy, modern *url.URL
	client         *http.Client
	study          *compare.Study
	counts         dashboard.ComparisonCounts
	failed         error // why the legacy side did not answer, the last time
	kept           int   // requests whose answers were written
}

// What a replay drops. The counts add up as a gateway's do.
const (
	droppedUnsafe  = "unsafe"
	droppedControl = "control"
)

func newReplay(rc replayCommand, rules *compare.Rules, legacy, modern *url.URL) *replay {
	return &replay{
		replayCommand: rc, rules: rules, legacy: legacy, modern: modern,
		client: &http.Client{
			Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 1, IdleConnTimeout: 30 * time.Second},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		study:  compare.NewStudy(compare.NoiseOptions{}, compare.FindingsOptions{}),
		counts: dashboard.ComparisonCounts{Outcomes: map[compare.Outcome]uint64{}, Dropped: map[string]uint64{}},
	}
}

// one asks one request of both sides. It fails only if what it is to keep
// can't be written.
func (r *replay) one(ctx context.Context, q recorded) error {
	r.counts.Sampled++
	safe := q.Method == http.MethodGet || q.Method == http.MethodHead || q.Method == http.MethodOptions
	if !safe && !r.Unsafe {
		r.drop(droppedUnsafe)
		return nil
	}
	control, took, err := r.ask(ctx, r.legacy, q)
	if err != nil {
		r.failed = err
		r.drop(droppedControl)
		return nil
	}
	// The order of the second asking is drawn, or what each asking leaves behind would count against one side.
	var again *compare.Answer
	probe := safe && !r.Once
	probeFirst := rand.IntN(2) == 0
	if probe && probeFirst {
		again, _, _ = r.ask(ctx, r.legacy, q)
	}
	candidate, candidateTook, err := r.ask(ctx, r.modern, q)
	if err != nil {
		candidate, candidateTook = &compare.Answer{Failure: failureOf(err)}, 0
	}
	if probe && !probeFirst {
		again, _, _ = r.ask(ctx, r.legacy, q)
	}
	path, _, _ := strings.Cut(q.Target, "?")
	target := q.Target
	if r.Mask {
		target = shadow.Redact(target)
	}
	o := &compare.Observation{
		Endpoint: r.study.Endpoint(q.Method, path), Target: target, Time: time.Now(), Control: string(migrations.Legacy),
		Size: control.Length + candidate.Length, ControlTook: took, CandidateTook: candidateTook,
	}
	profile := r.study.Noise.Profile(o.Endpoint)
	o.Result = compare.Compare(control, candidate, r.rules, profile)
	if again != nil {
		noise := compare.Probe(control, again, r.rules, profile)
		o.Probe = &noise
		r.counts.Probes++
		forgive(&o.Result, &noise)
	}
	r.study.Add(o)
	r.counts.Outcomes[o.Result.Outcome]++
	if o.Result.Outcome == compare.Mismatch {
		return r.keep(control, candidate)
	}
	return nil
}

// keep writes both answers to a request, named by its place in the recording.
func (r *replay) keep(control, candidate *compare.Answer) error {
	if r.Keep == "" || candidate.Failure != "" {
		return nil
	}
	for side, a := range map[migrations.Side]*compare.Answer{migrations.Legacy: control, migrations.Modern: candidate} {
		if err := writeAnswer(filepath.Join(r.Keep, fmt.Sprintf("%04d-%s.http", r.counts.Sampled, side)), a); err != nil {
			return fmt.Errorf("--keep: %w", err)
		}
	}
	r.kept++
	return nil
}

// forgive accepts of the candidate, path by path, what the legacy side does to
// itself in the same moment. A file is too short to learn much more.
func forgive(r, noise *compare.Result) {
	for i := range r.Differences {
		for j := range noise.Differences {
			if r.Differences[i].Path == noise.Differences[j].Path {
				r.Differences[i].Held = max(r.Differences[i].Held, noise.Differences[j].Agree)
			}
		}
	}
	if r.Outcome == compare.Mismatch && r.Unaccepted() == 0 {
		r.Outcome = compare.Match
	}
}

func (r *replay) drop(reason string) {
	r.counts.Outcomes[compare.Dropped]++
	r.counts.Dropped[reason]++
}

// ask sends a recorded request to one side and reads the answer.
func (r *replay) ask(ctx context.Context, side *url.URL, q recorded) (*compare.Answer, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, q.Method, side.Scheme+"://"+side.Host+strings.TrimSuffix(side.EscapedPath(), "/")+q.Target, strings.NewReader(string(q.Body)))
	if err != nil {
		return nil, 0, err
	}
	req.Header = q.Header.Clone()
	if req.Header.Get("Accept-Encoding") != "" {
		req.Header.Set("Accept-Encoding", "gzip, br, zstd") // what can be read
	}
	start := time.Now()
	res, err := r.client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = res.Body.Close() }()
	a := &compare.Answer{Status: res.StatusCode, Header: res.Header}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		a.Truncated = true // without an end; status and header are compared
		return a, time.Since(start), nil
	}
	if a.Body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswerFile+1)); err != nil {
		return nil, 0, err
	}
	if len(a.Body) > maxAnswerFile {
		a.Body, a.Truncated = a.Body[:maxAnswerFile], true
	}
	a.Length = int64(len(a.Body))
	return a, time.Since(start), nil
}

func failureOf(err error) compare.Outcome {
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return compare.TimedOut
	}
	return compare.Failed
}

// report writes what was found.
func (r *replay) report(c *call) error {
	now := time.Now()
	out := replayed{Comparison: dashboard.ComparisonOf(r.Migration, r.study, now), Findings: []dashboard.Finding{}}
	out.Comparison.Counts, out.Kept = r.counts, r.kept
	for _, f := range r.study.Findings.Real(now) {
		one := dashboard.DetailsOf(r.Migration, r.study, f, now)
		one.Unlearned = false // the legacy side was asked twice where it may be
		out.Findings = append(out.Findings, one)
	}
	if r.JSON {
		if err := c.json(out); err != nil {
			return err
		}
	} else if err := r.print(c, out); err != nil {
		return err
	}
	switch {
	case r.counts.Outcomes[compare.Dropped] == r.counts.Sampled && r.failed != nil:
		return fmt.Errorf("nothing could be compared; the legacy side did not answer: %w", r.failed)
	case len(out.Findings) > 0 || r.counts.Outcomes[compare.Dropped] == r.counts.Sampled:
		return errDifferent
	}
	return nil
}

func (r *replay) print(c *call, out replayed) error {
	c.printf("%s", countsText(r.counts))
	if n := r.counts.Dropped[droppedUnsafe]; n > 0 {
		c.printf("%d requests that may write were left out; --unsafe sends them, to both sides", n)
	}
	if len(out.Findings) == 0 {
		c.printf("no findings")
		return nil
	}
	if err := c.listFindings(out.Findings); err != nil {
		return err
	}
	if r.kept > 0 {
		c.printf("the answers to %d requests that differ are in %s, as NNNN-legacy.http and NNNN-modern.http", r.kept, r.Keep)
	}
	for _, f := range out.Findings {
		c.printf("")
		if err := c.describeFinding(f); err != nil {
			return err
		}
	}
	return nil
}
