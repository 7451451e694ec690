package web

import (
	"strconv"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations"
)

// A splitBar is a split as a bar: the service at the left.
type splitBar struct {
	Text string
	Bars []bar
}

// A bar is a share of a [splitBar], in percent.
type bar struct {
	Stage       migrations.Stage
	From, Width string
}

// SplitBar draws the split of a migration.
func (r row) SplitBar() splitBar { return splitBarOf(r.Shares, r.Split) }

func splitBarOf(shares []dashboard.Share, text string) splitBar {
	out := splitBar{Text: text}
	from := 0
	for _, s := range shares {
		out.Bars = append(out.Bars, bar{s.Stage, inPercent(from), inPercent(s.Buckets)})
		from += s.Buckets
	}
	return out
}

func inPercent(buckets int) string {
	return strconv.FormatFloat(float64(buckets)/migrations.Buckets*100, 'f', -1, 64)
}
