package web

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

// A diffLine is one line of two answers, of which only what differs is known,
// and the way there: a step of the way, or a leaf with its value on both sides.
type diffLine struct {
	Depth     int
	Name      string
	Leaf      bool
	Kind      compare.Kind
	Path      string
	Count     int // places that it stands for
	Control   leafView
	Candidate leafView
}

// A leafView is a value: what is the same on both sides, and what is not.
type leafView struct {
	Absent             bool
	Masked             string // what is told of a value that is not kept
	Same, Differs, End string // a text that is kept
}

// diffLines writes differences as a tree, each step of a way once.
func diffLines(list []dashboard.Difference) (out []diffLine) {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b dashboard.Difference) int { return cmp.Compare(placeOf(a), placeOf(b)) })
	var before []string
	for _, d := range list {
		way := steps(placeOf(d))
		same := 0
		for same < len(way)-1 && same < len(before)-1 && way[same] == before[same] {
			same++
		}
		for i := same; i < len(way)-1; i++ {
			out = append(out, diffLine{Depth: min(i, 12), Name: way[i]})
		}
		control, candidate := leaves(d)
		out = append(out, diffLine{
			Depth: min(len(way)-1, 12), Name: way[len(way)-1], Leaf: true, Kind: d.Kind, Path: d.Path, Count: d.Count, Control: control, Candidate: candidate,
		})
		before = way
	}
	return out
}

func placeOf(d dashboard.Difference) string { return cmp.Or(d.Instance, d.Path) }

// steps takes a path apart: "$.items[3].price" has four.
func steps(path string) (out []string) {
	begin := 0
	for i := 1; i < len(path); i++ {
		if c := path[i]; c == '.' || c == '[' {
			out = append(out, path[begin:i])
			begin = i
			if c == '.' {
				begin++
			}
		}
	}
	return append(out, path[begin:])
}

func leaves(d dashboard.Difference) (control, candidate leafView) {
	control, candidate = leafOf(d.Control), leafOf(d.Candidate)
	switch d.Kind {
	case compare.KindMissing:
		candidate = leafView{Absent: true}
	case compare.KindExtra:
		control = leafView{Absent: true}
	}
	if a, b := d.Control.Text, d.Candidate.Text; a != "" && b != "" {
		head := common(a, b)
		tail := commonEnd(a[head:], b[head:])
		control = leafView{Same: a[:head], Differs: a[head : len(a)-tail], End: a[len(a)-tail:]}
		candidate = leafView{Same: b[:head], Differs: b[head : len(b)-tail], End: b[len(b)-tail:]}
	}
	return control, candidate
}

func leafOf(v dashboard.Value) leafView {
	if v.Text != "" {
		return leafView{Differs: v.Text}
	}
	if v.Type == "" {
		return leafView{Absent: true}
	}
	what := string(v.Type)
	if string(v.Class) != what && v.Class != "" {
		what += ", " + string(v.Class)
	}
	return leafView{Masked: fmt.Sprintf("%s, %d bytes", what, v.Length)}
}

// common returns how many bytes two texts begin with alike, up to a whole rune.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	for n > 0 && n < len(a) && !utf8.RuneStart(a[n]) {
		n--
	}
	for n > 0 && n < len(b) && !utf8.RuneStart(b[n]) {
		n--
	}
	return n
}

func commonEnd(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	for n > 0 && !utf8.RuneStart(a[len(a)-n]) {
		n--
	}
	return n
}

func exampleName(i int, e dashboard.Example, now time.Time) string {
	name := ago(now, e.Time)
	if i == 0 {
		name = "smallest, " + name
	}
	return strings.TrimSpace(name)
}
