package web

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations"
)

// A fig is a migration as a picture: a bud while nothing has moved, filled as
// far as the service answers, with a leaf when all of it has left the monolith.
type fig struct {
	Modern     float64 // share that the service answers, 0 to 1
	Shadow     float64 // share that is only compared
	Complete   bool
	RolledBack bool
}

// figOf returns the fig of shares.
func figOf(shares []dashboard.Share, rolledBack bool) fig {
	f := fig{RolledBack: rolledBack}
	for _, s := range shares {
		part := float64(s.Buckets) / migrations.Buckets
		switch s.Stage {
		case migrations.Complete:
			f.Modern += part
			f.Complete = part == 1
		case migrations.Live, migrations.RampDown:
			f.Modern += part
		case migrations.Shadow, migrations.DualWrite:
			f.Shadow += part
		}
	}
	return f
}

// figBody is the outline of a fig in a box of 24 by 24.
const figBody = `M12 2.2c.5 1.7.6 2.7 1.5 3.7 2.6 2.9 6.3 5.4 6.3 9.8 0 3.9-3.2 6.3-7.8 6.3s-7.8-2.4-7.8-6.3c0-4.4 3.7-6.9 6.3-9.8.9-1 1-2 1.5-3.7z`

// shape draws the fig without the box around it.
func (f fig) shape() string {
	var b strings.Builder
	class := "fruit"
	if f.Modern == 0 && f.Shadow == 0 {
		class += " bud"
	}
	if f.RolledBack {
		class += " back"
	}
	fmt.Fprintf(&b, `<path class="%s" d="%s"/>`, class, figBody)
	if f.Shadow > 0 && f.Modern < 1 {
		fmt.Fprintf(&b, `<path class="fruit-shade" d="%s"/>`, figBody)
	}
	if f.Modern > 0 {
		top := 22 - 19.8*max(f.Modern, 0.16) // so that a little is seen
		fmt.Fprintf(&b, `<svg x="0" y="%.1f" width="24" height="%.1f" viewBox="0 %.1f 24 %.1f"><path class="fruit-fill" d="%s"/></svg>`, top, 24-top, top, 24-top, figBody)
	}
	if f.Complete {
		b.WriteString(`<path class="fruit-leaf" d="M12.4 5.2c1-3 4.2-4.4 8-3.8-.4 3.6-3.6 5.6-8 3.8z"/>`)
	}
	return b.String()
}

// SVG draws the fig as an icon. It says nothing to those who cannot see it:
// the words beside it do.
func (f fig) SVG() template.HTML {
	return template.HTML(`<svg class="fig" viewBox="0 0 24 24" aria-hidden="true">` + f.shape() + `</svg>`) //nolint:gosec // numbers and our own words only
}
