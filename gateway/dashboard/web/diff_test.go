package web

import (
	"strings"
	"testing"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

func TestDiffShowsTheWayToEachLeafOnce(t *testing.T) {
	kept := func(text string) dashboard.Value { return dashboard.Value{Type: "string", Text: text} }
	lines := diffLines([]dashboard.Difference{
		{Path: "status", Kind: compare.KindStatus, Control: kept("200"), Candidate: kept("500")},
		{Path: "$.items[*].price", Instance: "$.items[3].price", Kind: compare.KindValue, Control: kept("12.50 €"), Candidate: kept("12.05 €"), Count: 4},
		{Path: "$.items[*].name", Instance: "$.items[3].name", Kind: compare.KindMissing, Control: dashboard.Value{Type: "string", Class: "word", Length: 7}},
		{Path: "$.note", Kind: compare.KindExtra, Candidate: kept("new")},
	})
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(strings.Repeat(" ", l.Depth) + l.Name)
		if l.Leaf {
			b.WriteString(" " + show(l.Control) + " → " + show(l.Candidate))
		}
		b.WriteString("\n")
	}
	want := `$
 items
  [3]
   name string, word, 7 bytes → not there
   price 12.|50| € → 12.|05| €
 note not there → |new|
status |2|00 → |5|00
`
	if b.String() != want {
		t.Errorf("%s", b.String())
	}
}

func show(l leafView) string {
	switch {
	case l.Absent:
		return "not there"
	case l.Masked != "":
		return l.Masked
	}
	return l.Same + "|" + l.Differs + "|" + l.End
}

func FuzzDiffMarksExactlyWhatDiffers(f *testing.F) {
	f.Add("12.50", "12.05")
	f.Add("", "x")
	f.Add("naïve", "naive")
	f.Add("aaa", "aa")
	f.Add("€", "¬")
	f.Fuzz(func(t *testing.T, a, b string) {
		a, b = strings.ToValidUTF8(a, "?"), strings.ToValidUTF8(b, "?")
		x, y := leaves(dashboard.Difference{Kind: compare.KindValue, Control: dashboard.Value{Text: a}, Candidate: dashboard.Value{Text: b}})
		if a == "" || b == "" {
			return
		}
		if x.Same+x.Differs+x.End != a || y.Same+y.Differs+y.End != b || x.Same != y.Same || x.End != y.End {
			t.Errorf("%q, %q: %+v, %+v", a, b, x, y)
		}
		for _, part := range []string{x.Same, x.Differs, x.End, y.Differs} {
			if strings.ToValidUTF8(part, "?") != part {
				t.Errorf("%q, %q: %q is half a rune", a, b, part)
			}
		}
	})
}
