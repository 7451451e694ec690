package web

import "html/template"

// icons are the shapes that drawings refer to, once in each page.
var icons = template.HTML(`<svg class="shapes" width="0" height="0" aria-hidden="true"><defs>` +
	`<path id="fig-leaf" d="` + figLeaf + `"/><path id="host-leaf" d="` + hostLeaf + `"/>` +
	`<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-ground" width="6" height="6"/><rect class="hatch-line" width="2.4" height="6"/></pattern>` +
	`</defs></svg>`) //nolint:gosec // our own words only
