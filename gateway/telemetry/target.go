package telemetry

import "strings"

// redacted stands for a value that is not told.
const redacted = "REDACTED"

// targetPath returns the path of a request target: without query, without
// the scheme and authority of an absolute form (which may hold a password),
// and without the values of path parameters, since ";jsessionid=" carries a
// session.
func targetPath(target string) string {
	target, _, _ = strings.Cut(target, "?")
	if !strings.HasPrefix(target, "/") {
		_, rest, ok := strings.Cut(target, "://")
		if !ok {
			if i := strings.LastIndexByte(target, '@'); i >= 0 {
				return target[i+1:]
			}
			return target // "*" or the host:port of CONNECT
		}
		i := strings.IndexByte(rest, '/')
		if i < 0 {
			return "/"
		}
		target = rest[i:]
	}
	if strings.IndexByte(target, ';') < 0 {
		return target
	}
	return redactParameters(target)
}

func redactParameters(path string) string {
	var b strings.Builder
	for i, segment := range strings.Split(path, "/") {
		if i > 0 {
			b.WriteByte('/')
		}
		for j, param := range strings.Split(segment, ";") {
			if j > 0 {
				b.WriteByte(';')
				if name, _, ok := strings.Cut(param, "="); ok {
					param = name + "=" + redacted
				}
			}
			b.WriteString(param)
		}
	}
	return b.String()
}

// clip returns at most n bytes of s, with an ellipsis where it was cut.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
