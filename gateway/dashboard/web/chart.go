package web

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A chart is drawn on 600 by 120, and stretched to where it stands.
const (
	chartWidth  = 600.0
	chartHeight = 120.0
)

// A chart is paths to draw, and what its axes say.
type chart struct {
	Legacy, Modern string // data of paths
	Top            string // what the upper edge stands for
	Text           string // for those who cannot see it
	Empty          bool
}

// trafficChart draws the requests a second of both sides, one on the other: the
// service below, the monolith above it.
func trafficChart(s stretch) chart {
	const step = float64(sampleEvery / time.Second)
	top := 0.0
	for i := range s.points {
		top = max(top, float64(s.points[i].requests[legacy]+s.points[i].requests[modern])/step)
	}
	ceiling := nice(top)
	var below, above []float64
	for i := range s.points {
		m := float64(s.points[i].requests[modern]) / step
		below = append(below, m/ceiling)
		above = append(above, (m+float64(s.points[i].requests[legacy])/step)/ceiling)
	}
	now := s.last(5)
	l, m := now.measure(legacy), now.measure(modern)
	return chart{
		Legacy: area(above, below), Modern: area(below, nil), Top: axis(ceiling) + "/s", Empty: top == 0,
		Text: fmt.Sprintf("Requests a second over the last five minutes. Now: monolith %s, service %s.", perSecond(l.Rate), perSecond(m.Rate)),
	}
}

// lineChart draws one number of both sides, each over ten seconds. A side
// without requests has none.
func lineChart(s stretch, what string, least float64, number func(measure) float64, write func(float64) string) chart {
	const window = 5
	var lines [2][]float64
	top := least
	for i := range s.points {
		part := stretch{s.bounds, s.points[max(0, i-window+1) : i+1]}
		for side := range lines {
			v := math.NaN()
			if m := part.measure(side); m.Requests > 0 {
				v = number(m)
				top = max(top, v)
			}
			lines[side] = append(lines[side], v)
		}
	}
	ceiling := nice(top)
	c := chart{Legacy: line(lines[legacy], ceiling), Modern: line(lines[modern], ceiling), Top: write(ceiling)}
	c.Empty = c.Legacy == "" && c.Modern == ""
	last := func(side int) string {
		if n := len(lines[side]); n > 0 && !math.IsNaN(lines[side][n-1]) {
			return write(lines[side][n-1])
		}
		return "no requests"
	}
	c.Text = fmt.Sprintf("%s over the last five minutes. Now: monolith %s, service %s.", what, last(legacy), last(modern))
	return c
}

// x is where a sample stands: the newest is at the right edge.
func x(i, n int) float64 { return chartWidth - float64(n-1-i)*chartWidth/(samples-1) }

// area draws a surface between two lines of shares of the height; without a
// lower one it stands on the ground.
func area(upper, lower []float64) string {
	if len(upper) < 2 {
		return ""
	}
	var b strings.Builder
	for i, v := range upper {
		to(&b, i == 0, x(i, len(upper)), v)
	}
	for i := len(upper) - 1; i >= 0; i-- {
		v := 0.0
		if lower != nil {
			v = lower[i]
		}
		to(&b, false, x(i, len(upper)), v)
	}
	return b.String() + "Z"
}

// line draws a line of numbers, with gaps where there is none.
func line(values []float64, ceiling float64) string {
	var b strings.Builder
	gap := true
	for i, v := range values {
		if math.IsNaN(v) {
			gap = true
			continue
		}
		to(&b, gap, x(i, len(values)), v/ceiling)
		gap = false
	}
	return b.String()
}

func to(b *strings.Builder, begin bool, x, share float64) {
	c := byte('L')
	if begin {
		c = 'M'
	}
	b.WriteByte(c)
	b.WriteString(strconv.FormatFloat(x, 'f', 0, 64))
	b.WriteByte(' ')
	b.WriteString(strconv.FormatFloat(chartHeight*(1-0.94*min(share, 1)), 'f', 1, 64))
}

// nice rounds up to a number that people like to see on an axis.
func nice(v float64) float64 {
	if v <= 0 {
		return 1
	}
	scale := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5, 10} {
		if v <= m*scale*1.0001 {
			return m * scale
		}
	}
	return 10 * scale
}

func axis(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
