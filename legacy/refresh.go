package legacy

import "strings"

// Refresh translates the URL of a Refresh header, "5; url=/login", in all the
// forms that browsers take: the separator may be a comma or a space, "url=" in
// any case or missing, and the URL in quotes. It returns false, and the line
// itself, if there is nothing to translate.
func (v *View) Refresh(line string) (string, bool) {
	start, end := refreshURL(line)
	if start == end {
		return line, false
	}
	changed, ok := v.URL(line[start:end])
	if !ok {
		return line, false
	}
	return line[:start] + changed + line[end:], true
}

// refreshURL returns where the URL of a Refresh header stands, by the shared
// declarative refresh steps of the HTML standard. Both are 0 without one.
func refreshURL(line string) (start, end int) {
	const space = " \t\r\n\f"
	rest := strings.TrimLeft(line, space)
	after := strings.TrimLeft(rest, "0123456789.")
	if len(after) == len(rest) {
		return 0, 0 // no time
	}
	rest = strings.TrimLeft(after, space)
	if rest != "" && (rest[0] == ';' || rest[0] == ',') {
		rest = strings.TrimLeft(rest[1:], space)
	} else if len(rest) == len(after) {
		return 0, 0 // neither a separator nor a space
	}
	if len(rest) > 3 && strings.EqualFold(rest[:3], "url") {
		if value, ok := strings.CutPrefix(strings.TrimLeft(rest[3:], space), "="); ok {
			rest = strings.TrimLeft(value, space)
		}
	}
	url := rest
	if rest != "" && (rest[0] == '"' || rest[0] == '\'') {
		rest = rest[1:]
		url, _, _ = strings.Cut(rest, line[len(line)-len(rest)-1:len(line)-len(rest)])
	}
	url = strings.TrimRight(url, space)
	start = len(line) - len(rest)
	return start, start + len(url)
}
