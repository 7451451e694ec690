package web

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestTheFigGrowsWithWhatIsTaken(t *testing.T) {
	before := 0
	for _, share := range []float64{0, 0.001, 0.25, 0.5, 0.999, 1} {
		svg := string(tree{Requests: share, Endpoints: share}.SVG())
		taken, all := strings.Count(svg, `href="#fig-leaf"`), strings.Count(svg, "<use ")
		if taken < before || (share == 0) != (taken == 0) || (share == 1) != (taken == all) {
			t.Errorf("%v: %d of %d leaves", share, taken, all)
		}
		if strings.Contains(svg, `class="root`) != (share > 0) {
			t.Errorf("%v: roots", share)
		}
		before = taken
		for d := xml.NewDecoder(strings.NewReader(svg)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if len(svg) > 40_000 {
			t.Errorf("%d bytes", len(svg))
		}
	}
	if again := draw(); again.host != drawn.host || !slices.Equal(again.leaves, drawn.leaves) {
		t.Error("the tree is another every time")
	}
}
