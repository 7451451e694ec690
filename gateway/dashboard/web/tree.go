package web

import (
	"fmt"
	"html/template"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// A tree is how far the fig has grown: what the overview shows first. A
// strangler fig begins in the crown of its host and lets roots down its trunk;
// when they reach the ground, the fig stands by itself.
type tree struct {
	Requests  float64 // share of the requests that services answer, 0 to 1: how far down the roots reach
	Endpoints float64 // share of the endpoints: how many leaves are the fig's
	Figs      []fig   // one for each migration, as many as there is room for
}

// The drawing is 480 wide and 500 high.
const (
	treeWidth  = 480
	treeHeight = 500
	ground     = 462.0
	crown      = 176.0 // where the trunk ends and the boughs begin
	middle     = 240.0
	maxFigs    = 9
)

// drawn is what does not change: the host, and where everything of the fig is.
var drawn = draw()

type drawing struct {
	host   string // trunk and boughs
	leaves []leaf // in the order in which the fig takes them
	roots  []root
	figs   []spot
}

type spot struct{ x, y float64 }

type leaf struct {
	spot
	turn, size float64
}

func draw() drawing {
	d := drawing{host: trunk(), roots: grow()}
	rng := rand.New(rand.NewPCG(7, 31)) // the same tree for everybody, every time
	var host strings.Builder
	host.WriteString(d.host)
	for i, angle := range []float64{-74, -46, -19, 8, 33, 62} {
		length := []float64{92, 104, 112, 116, 102, 90}[i]
		d.bough(&host, rng, spot{middle + float64(i-2)*7 - 3, crown + 14 - math.Abs(float64(i)-2.5)*-3}, angle, length, 13, 0)
	}
	d.host = host.String()
	slices.SortStableFunc(d.leaves, func(a, b leaf) int { // from where a bird would have dropped the seed
		return int(math.Hypot(a.x-190, a.y-120)*100) - int(math.Hypot(b.x-190, b.y-120)*100)
	})
	return d
}

// trunk is wide at the ground, and has a waist.
func trunk() string {
	return fmt.Sprintf(`<path class="bark" d="M%[1]g %[2]g C206 424 214 380 214 320 C214 262 208 214 222 %[3]g L258 %[3]g C272 214 266 262 266 320 C266 380 274 424 304 %[2]g C286 456 262 458 %[4]g 458 C218 458 194 456 %[1]g %[2]gZ"/>`, 176.0, ground, crown, middle)
}

// bough draws a branch, those that come out of it, and its leaves.
func (d *drawing) bough(b *strings.Builder, rng *rand.Rand, from spot, angle, length, width float64, depth int) {
	rad := angle * math.Pi / 180
	to := spot{from.x + math.Sin(rad)*length, from.y - math.Cos(rad)*length*0.82}
	bend := spot{(from.x+to.x)/2 + (rng.Float64()-0.5)*length*0.25, (from.y+to.y)/2 - length*0.10}
	fmt.Fprintf(b, `<path class="twig" d="M%.0f %.0fQ%.0f %.0f %.0f %.0f" stroke-width="%.1f"/>`, from.x, from.y, bend.x, bend.y, to.x, to.y, width)
	if depth >= 1 {
		for i := range 3 {
			at := 0.45 + 0.27*float64(i)
			x := lerp(lerp(from.x, bend.x, at), lerp(bend.x, to.x, at), at)
			y := lerp(lerp(from.y, bend.y, at), lerp(bend.y, to.y, at), at)
			side := float64(i%2*2 - 1)
			d.leaves = append(d.leaves, leaf{spot{x + side*5 + (rng.Float64()-0.5)*6, y + (rng.Float64()-0.5)*8}, angle + side*(45+rng.Float64()*40), 0.85 + rng.Float64()*0.4})
		}
	}
	if depth == 2 {
		d.leaves = append(d.leaves, leaf{to, angle + (rng.Float64()-0.5)*40, 1 + rng.Float64()*0.35})
		return
	}
	if depth == 1 {
		d.figs = append(d.figs, spot{(from.x + to.x) / 2, (from.y+to.y)/2 + 2})
	}
	for _, turn := range []float64{-34 - rng.Float64()*12, -2 + rng.Float64()*10, 30 + rng.Float64()*14} {
		d.bough(b, rng, to, angle+turn, length*(0.50+rng.Float64()*0.12), width*0.5, depth+1)
	}
}

func lerp(a, b, t float64) float64 { return a + (b-a)*t }

// A root winds down the trunk; reach is how much earlier or later than the
// others it comes to the ground.
type root struct {
	path  string
	width float64
	reach float64
}

// grow lets down the fig's roots: they wind around the trunk, meet and grow
// together.
func grow() (out []root) {
	for _, r := range []struct{ phase, turns, width, reach float64 }{
		{2.7, 1.1, 9, 1}, {0.2, 1.6, 7, 0.93}, {1.5, -1.3, 6, 1}, {3.9, -1.7, 5, 0.86}, {5.1, 1.35, 6.5, 1.0},
		{0.9, -0.8, 5.5, 0.9}, {4.5, 0.7, 8, 0.97}, {3.3, -0.5, 6, 1}, {5.8, -1.1, 4.5, 0.8}, {2.1, 1.9, 3.5, 0.95},
	} {
		var points []spot
		for y := crown - 12; y <= ground+0.5; y += 11 {
			t := (y - crown) / (ground - crown)
			wind := math.Sin(r.phase + r.turns*math.Pi*max(t, -0.1))
			if t > 0.6 { // near the ground they part
				wind = lerp(wind, math.Copysign(1, wind)*(0.35+0.65*math.Abs(wind)), (t-0.6)/0.4)
			}
			points = append(points, spot{middle + wind*(halfWidth(t)+1), y})
		}
		out = append(out, root{smooth(points), r.width, r.reach})
	}
	return out
}

// halfWidth of the trunk, t from 0 at the crown to 1 at the ground.
func halfWidth(t float64) float64 {
	switch {
	case t < 0:
		return 16
	case t < 0.55:
		return 19 + 7*math.Sin(t*math.Pi/1.1)
	}
	return 26 + 42*math.Pow((t-0.55)/0.45, 3)
}

// smooth draws a curve through points.
func smooth(p []spot) string {
	var b strings.Builder
	fmt.Fprintf(&b, "M%.0f %.0f", p[0].x, p[0].y)
	for i := 1; i < len(p)-1; i++ {
		fmt.Fprintf(&b, "Q%.0f %.0f %.1f %.1f", p[i].x, p[i].y, (p[i].x+p[i+1].x)/2, (p[i].y+p[i+1].y)/2)
	}
	last := p[len(p)-1]
	fmt.Fprintf(&b, "L%.0f %.0f", last.x, last.y)
	return b.String()
}

// SVG draws the tree.
func (t tree) SVG() template.HTML {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="tree" viewBox="0 -12 %d %d" role="img" aria-label="%s">`, treeWidth, treeHeight, t.text())
	fmt.Fprintf(&b, `<ellipse class="soil" cx="240" cy="%g" rx="196" ry="15"/>`, ground+2)
	b.WriteString(drawn.host)
	for i, r := range drawn.roots {
		if reach := 100 * min(unit(t.Requests)/r.reach, 1); reach > 0 { // to a percent, so that the tree does not change all the time
			fmt.Fprintf(&b, `<path class="root r%d" d="%s" stroke-width="%g" pathLength="100" stroke-dasharray="%.0f 300"/>`, i%3, r.path, r.width, 14+0.86*reach)
		}
	}
	taken := int(math.Round(unit(t.Endpoints) * float64(len(drawn.leaves))))
	if t.Endpoints > 0 {
		taken = max(taken, 1)
	}
	if t.Endpoints < 1 {
		taken = min(taken, len(drawn.leaves)-1)
	}
	b.WriteString(`<g>`)
	for i, l := range drawn.leaves {
		class, shape := "hostleaf", "host-leaf"
		if i < taken {
			class, shape = fmt.Sprintf("figleaf l%d", i%3), "fig-leaf"
		}
		fmt.Fprintf(&b, `<use class="%s" href="#%s" transform="translate(%.0f %.0f)rotate(%.0f)scale(%.1f)"/>`, class, shape, l.x, l.y, l.turn, l.size)
	}
	b.WriteString(`</g><g>`)
	for i, f := range t.Figs {
		if i == maxFigs {
			break
		}
		at := drawn.figs[(i*7+3)%len(drawn.figs)] // apart from one another
		fmt.Fprintf(&b, `<g class="hanging" transform="translate(%.0f %.0f)scale(1.5)">%s</g>`, at.x-18, at.y, f.shape())
	}
	b.WriteString(`</g></svg>`)
	return template.HTML(b.String()) //nolint:gosec // numbers and our own words only
}

func (t tree) text() string {
	return fmt.Sprintf("A fig tree grows around its host: services answer %s of the requests and %s of the endpoints.", percent(t.Requests), percent(t.Endpoints))
}

func unit(f float64) float64 {
	if !(f > 0) {
		return 0
	}
	return min(f, 1)
}

// The leaves, around the end of their stalk, some 20 high.
const (
	hostLeaf = `M0 0C-5-4-6-11 0-18C6-11 5-4 0 0Z`
	figLeaf  = `M0 1C-1-2-2-3-4-3C-8-2-11-5-10-9C-7-8-6-9-6-11C-9-12-9-16-6-18C-5-16-4-15-3-15C-4-18-2-21 0-23C2-21 4-18 3-15C4-15 5-16 6-18C9-16 9-12 6-11C6-9 7-8 10-9C11-5 8-2 4-3C2-3 1-2 0 1Z`
)
