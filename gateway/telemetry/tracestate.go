package telemetry

import "strings"

// Limits of the W3C recommendation Trace Context, section 3.3.
const (
	maxStateMembers = 32
	maxStateBytes   = 512
	longStateMember = 128 // dropped first when the whole is too long
)

// parseTracestate combines the lines of a tracestate header. A list that
// breaks the grammar or has more than 32 members is dropped as a whole, which
// leaves the trace itself alone; one above 512 bytes is cut as section 3.3.1.5
// says: long members first, then those at the end. A single good line is
// returned as it is, without allocating.
func parseTracestate(lines []string) string {
	switch len(lines) {
	case 0:
		return ""
	case 1:
		if !validState(lines[0]) {
			return ""
		}
		return trimState(lines[0])
	}
	size := 0
	for _, line := range lines {
		if size += len(line) + 1; size > 32<<10 {
			return ""
		}
	}
	joined := strings.Join(lines, ",")
	if !validState(joined) {
		return ""
	}
	return trimState(joined)
}

func trimState(s string) string {
	if s = strings.Trim(s, " \t,"); len(s) <= maxStateBytes {
		return s
	}
	var members []string
	size := -1
	for m := range strings.SplitSeq(s, ",") {
		if m = strings.Trim(m, " \t"); m != "" {
			members = append(members, m)
			size += len(m) + 1
		}
	}
	for i := len(members) - 1; i >= 0 && size > maxStateBytes; i-- {
		if len(members[i]) > longStateMember {
			size -= len(members[i]) + 1
			members = append(members[:i], members[i+1:]...)
		}
	}
	for size > maxStateBytes {
		last := len(members) - 1
		size -= len(members[last]) + 1
		members = members[:last]
	}
	return strings.Join(members, ",")
}

func validState(s string) bool {
	members := 0
	for m := range strings.SplitSeq(s, ",") {
		if m = strings.Trim(m, " \t"); m == "" {
			continue // empty members are allowed
		}
		key, value, ok := strings.Cut(m, "=")
		if members++; members > maxStateMembers || !ok || !validStateKey(key) || !validStateValue(value) {
			return false
		}
	}
	return true
}

// validStateKey accepts a simple key, or tenant@system.
func validStateKey(key string) bool {
	tenant, system, multi := strings.Cut(key, "@")
	if !multi {
		return len(key) > 0 && len(key) <= 256 && lower(key[0]) && stateKeyChars(key)
	}
	return len(tenant) > 0 && len(tenant) <= 241 && (lower(tenant[0]) || digit(tenant[0])) && stateKeyChars(tenant) &&
		len(system) > 0 && len(system) <= 14 && lower(system[0]) && stateKeyChars(system)
}

func stateKeyChars(s string) bool {
	for i := range len(s) {
		if c := s[i]; !lower(c) && !digit(c) && c != '_' && c != '-' && c != '*' && c != '/' {
			return false
		}
	}
	return true
}

// validStateValue accepts printable ASCII without "," and "=", not empty.
func validStateValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '=' {
			return false
		}
	}
	return len(s) > 0 && len(s) <= 256
}

func lower(c byte) bool { return 'a' <= c && c <= 'z' }
func digit(c byte) bool { return '0' <= c && c <= '9' }
