package flagd

import "strings"

// A version is a semantic version. Its build metadata does not count.
type version struct {
	numbers    [3]string // major, minor, patch, without leading zeros
	prerelease string    // what follows "-", empty: a release
}

// maxVersion is the longest text that is read as a version, in bytes.
const maxVersion = 256

// parseVersion reads "1.2.3-rc.1+build", also with a leading v or V, and "1"
// and "1.2" for 1.0.0 and 1.2.0, by the rules of semver.org otherwise.
func parseVersion(text string) (v version, ok bool) {
	if text == "" || len(text) > maxVersion {
		return v, false
	}
	if text[0] == 'v' || text[0] == 'V' {
		text = text[1:]
	}
	v.numbers = [3]string{"0", "0", "0"}
	for i := range v.numbers {
		n := 0
		for n < len(text) && isDigit(text[n]) {
			n++
		}
		if n == 0 || n > 1 && text[0] == '0' {
			return v, false
		}
		v.numbers[i], text = text[:n], text[n:]
		if i == 2 {
			break
		}
		if text == "" {
			return v, true
		}
		if text[0] != '.' {
			return v, false
		}
		text = text[1:]
	}
	text, build, built := strings.Cut(text, "+")
	if built && !identifiers(build, false) {
		return v, false
	}
	if text == "" {
		return v, true
	}
	v.prerelease = text[1:]
	return v, text[0] == '-' && identifiers(v.prerelease, true)
}

// identifiers reports whether a text is identifiers with dots between. Numeric
// ones of a prerelease have no leading zeros.
func identifiers(text string, prerelease bool) bool {
	for more := true; more; {
		var id string
		id, text, more = strings.Cut(text, ".")
		if id == "" || prerelease && len(id) > 1 && id[0] == '0' && numeric(id) {
			return false
		}
		for i := range len(id) {
			if b := id[i]; !isDigit(b) && b != '-' && (b|0x20 < 'a' || b|0x20 > 'z') {
				return false
			}
		}
	}
	return true
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func numeric(id string) bool { return strings.Trim(id, "0123456789") == "" }

// compare orders by precedence: -1, 0 or 1.
func (v version) compare(o version) int {
	for i := range v.numbers {
		if c := compareDigits(v.numbers[i], o.numbers[i]); c != 0 {
			return c
		}
	}
	switch {
	case v.prerelease == o.prerelease:
		return 0
	case v.prerelease == "":
		return 1
	case o.prerelease == "":
		return -1
	}
	a, b := v.prerelease, o.prerelease
	for a != "" && b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		if x == y {
			continue
		}
		switch nx, ny := numeric(x), numeric(y); {
		case nx && ny:
			return compareDigits(x, y)
		case nx:
			return -1
		case ny:
			return 1
		}
		return strings.Compare(x, y)
	}
	switch { // the longer one is higher
	case a != "":
		return 1
	case b != "":
		return -1
	}
	return 0
}

// compareDigits orders numbers of any length.
func compareDigits(a, b string) int {
	if len(a) != len(b) {
		if len(a) < len(b) {
			return -1
		}
		return 1
	}
	return strings.Compare(a, b)
}

// relations are the operators of sem_ver.
var relations = map[string]func(a, b version) bool{
	"=":  func(a, b version) bool { return a.compare(b) == 0 },
	"!=": func(a, b version) bool { return a.compare(b) != 0 },
	"<":  func(a, b version) bool { return a.compare(b) < 0 },
	"<=": func(a, b version) bool { return a.compare(b) <= 0 },
	">":  func(a, b version) bool { return a.compare(b) > 0 },
	">=": func(a, b version) bool { return a.compare(b) >= 0 },
	"^":  func(a, b version) bool { return a.numbers[0] == b.numbers[0] },
	"~":  func(a, b version) bool { return a.numbers[0] == b.numbers[0] && a.numbers[1] == b.numbers[1] },
}

// semVer compares versions: [version, operator, version]. What is no version,
// or no operator, makes the result null, so that the default variant counts.
// A number is read as it is written.
func semVer(c *compiler, o call) expression {
	args := c.compileArgs(o)
	if len(args) != 3 {
		c.complain(o.tree, o.path, `write [version, operator, version]`, "sem_ver has three arguments, not %d, so it is always null", len(args))
		return constant(nil)
	}
	left, right := versionOf(args[0]), versionOf(args[2])
	for i, read := range []func(*run) (version, bool){left, nil, right} {
		if read == nil || !args[i].constant {
			continue
		}
		if _, ok := read(nil); !ok {
			c.complain(o.args[i], o.argPath(i), "write it as 1.2.3", "is no version, so the result is always null")
		}
	}
	size := sizeOf(args)
	if !args[1].constant {
		return expression{eval: func(r *run) any {
			name, _ := args[1].eval(r).(string)
			return relate(r, left, right, relations[name])
		}, size: size}
	}
	name, _ := args[1].value.(string)
	relation := relations[name]
	if relation == nil {
		c.complain(o.args[1], o.argPath(1), "write = != < <= > >= ^ or ~", "is no operator of sem_ver, so the result is always null")
	}
	return expression{eval: func(r *run) any { return relate(r, left, right, relation) }, size: size}
}

func relate(r *run, left, right func(*run) (version, bool), relation func(a, b version) bool) any {
	a, ok := left(r)
	b, also := right(r)
	if !ok || !also || relation == nil {
		return nil
	}
	return relation(a, b)
}

// versionOf reads the version that an expression results in.
func versionOf(e expression) func(*run) (version, bool) {
	read := func(v any) (version, bool) {
		switch v := v.(type) {
		case string:
			return parseVersion(v)
		case float64:
			return parseVersion(formatNumber(v))
		}
		return version{}, false
	}
	if e.constant {
		v, ok := read(e.value)
		return func(*run) (version, bool) { return v, ok }
	}
	return func(r *run) (version, bool) { return read(e.eval(r)) }
}
