package app

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"slices"

	"github.com/ficus-gateway/ficus/gateway/dashboard/web"
	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/routes"
)

// openPages makes the pages for people with a browser.
func (p *Process) openPages() (err error) {
	p.pages, err = web.New(web.Options{
		State: p.follower.State, Wait: p.follower.Wait, Table: p.source.Table,
		Flows: p.flows, Bounds: telemetry.LatencyBounds(), Counts: p.counts, Excerpt: p.excerpt,
		Version: Version(), Logger: p.log,
	})
	return err
}

// flows tells the pages what the routes have seen.
func (p *Process) flows(yield func(web.Flow)) {
	p.tools.metrics.Flows(func(f telemetry.Flow) {
		yield(web.Flow{Route: f.Route, Migration: f.Migration, Side: f.Side, Requests: f.Requests, Broken: f.Broken, Slow: f.Slow[:]})
	})
}

// What an excerpt of a config file may be.
const (
	excerptAround = 2       // lines before and after
	excerptFile   = 1 << 20 // bytes of a file that are read for one
	excerptLine   = 200     // bytes of a line
)

// excerpt returns the lines of a config file around a place. It reads files
// that belong to the config, and no others.
func (p *Process) excerpt(at routes.Position) (from int, lines []string) {
	t := p.source.Table()
	last, _ := p.reloads.status()
	known := append([]string{t.File, p.config.Path}, t.Files...)
	for _, problem := range last.Problems { // a file that was added and is wrong
		known = append(known, problem.At.File)
	}
	if at.File == "" || at.Line < 1 || p.config.Path == "" || !slices.Contains(known, at.File) {
		return 0, nil
	}
	f, err := os.Open(filepath.Clean(at.File))
	if err != nil {
		return 0, nil
	}
	defer f.Close()
	text := make([]byte, excerptFile)
	n, _ := f.Read(text)
	scanner := bufio.NewScanner(bytes.NewReader(text[:n]))
	scanner.Buffer(nil, excerptFile)
	from = max(1, at.Line-excerptAround)
	for line := 1; scanner.Scan() && line <= at.Line+excerptAround; line++ {
		if line >= from {
			lines = append(lines, scanner.Text()[:min(len(scanner.Text()), excerptLine)])
		}
	}
	return from, lines
}
