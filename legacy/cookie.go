package legacy

import (
	"cmp"
	"strings"
)

// SetCookie translates Domain and Path of one Set-Cookie line, read as
// browsers do: attributes are divided by semicolons, also within quotes. Order,
// case and spaces stay. It returns false, and the line itself, if there is
// nothing to translate.
//
// Path becomes the client's; one that covers all of the added prefix becomes
// the stripped prefix. A cookie without a path gets that of its request, which
// the client sees right by itself.
//
// Domain becomes the client's host if it names the upstream's host or a parent
// of that, unless the client's host lies in it already. Where the client's host
// is an address or a single label, it is taken out, since such hosts have no
// domain. No cookie is ever seen by more hosts than the client's and those
// below it.
func (v *View) SetCookie(line string) (string, bool) {
	pair, _, found := strings.Cut(line, ";")
	if !found || boundToHost(pair) {
		return line, false
	}
	hostDiffers, prefixDiffers := v.hostDiffers(), v.prefixDiffers()
	var out strings.Builder
	done := 0 // bytes of the line that out has, or skips
	for start := len(pair); start < len(line); {
		end := start + 1
		if i := strings.IndexByte(line[end:], ';'); i >= 0 {
			end += i
		} else {
			end = len(line)
		}
		name, value, _ := strings.Cut(line[start+1:end], "=")
		from := end - len(strings.TrimLeft(value, " \t"))
		value = strings.Trim(value, " \t")
		to := from + len(value)

		changed := value
		switch name = strings.Trim(name, " \t"); {
		case hostDiffers && strings.EqualFold(name, "domain"):
			if changed = v.domain(value); changed == "" && value != "" {
				from, to = start, end // the whole attribute
			}
		case prefixDiffers && strings.EqualFold(name, "path"):
			changed = v.cookiePath(value)
		}
		if changed != value {
			out.WriteString(line[done:from])
			out.WriteString(changed)
			done = to
		}
		start = end
	}
	if done == 0 {
		return line, false
	}
	out.WriteString(line[done:])
	return out.String(), true
}

// boundToHost reports whether a cookie's name binds it to one host and the path
// / (RFC 6265bis, section 4.1.3.2).
func boundToHost(pair string) bool {
	const prefix = "__Host-"
	pair = strings.TrimLeft(pair, " \t")
	return len(pair) >= len(prefix) && strings.EqualFold(pair[:len(prefix)], prefix)
}

// domain returns what Domain=value of the upstream means to the client; an
// empty text stands for no Domain.
func (v *View) domain(value string) string {
	upstream, ok := parseAuthority(v.UpstreamHost)
	if !ok {
		return value
	}
	client, ok := parseAuthority(v.ClientHost)
	if !ok {
		return value
	}
	dot, bare := "", value
	if rest, found := strings.CutPrefix(value, "."); found {
		dot, bare = ".", rest
	}
	name := hostName(bare)
	if name == "" || !upstream.within(name) || client.within(name) {
		return value
	}
	if client.isAddress() || !strings.Contains(client.name, ".") {
		return ""
	}
	return dot + withoutPort(v.ClientHost)
}

// within reports whether a lies in the domain: it is that, or below it.
func (a authority) within(domain string) bool {
	if a.name == strings.Trim(domain, "[]") {
		return true
	}
	return !a.isAddress() && strings.HasSuffix(a.name, "."+domain)
}

// cookiePath returns what Path=value of the upstream means to the client.
func (v *View) cookiePath(value string) string {
	if !strings.HasPrefix(value, "/") {
		return value // browsers take the path of the request
	}
	if value != "/" {
		if path, ok := v.Path(value); ok {
			return path
		}
	}
	if _, covers := cutPrefix(trimSlash(v.Add), trimSlash(value)); covers {
		return cmp.Or(trimSlash(v.Strip), "/") // without a slash at its end, to include the prefix itself
	}
	return value
}
