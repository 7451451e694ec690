package legacy

import "strings"

// URL translates one URL reference of the upstream, as in Location. It
// returns false, and the reference itself, if it means the same on both sides,
// leads elsewhere, or is malformed. Userinfo, query and fragment are kept byte
// for byte.
func (v *View) URL(ref string) (string, bool) {
	r, ok := splitReference(ref)
	if !ok {
		return ref, false
	}
	path, ok := v.Path(r.path)
	if !ok {
		return ref, false
	}
	if !r.absolute() {
		if strings.HasPrefix(path, "//") || strings.HasPrefix(path, `/\`) {
			path = "/." + path // else its first segment would be read as a host
		}
		changed := path + r.tail
		return changed, changed != ref
	}
	scheme := r.scheme
	if scheme == "" {
		scheme = v.UpstreamScheme
	}
	if !v.isUpstream(r.host, scheme) {
		return ref, false
	}
	host := r.host
	if v.hostDiffers() {
		scheme, host = v.outside(scheme)
		if r.scheme != "" && !strings.EqualFold(r.scheme, scheme) {
			r.scheme = scheme
		}
	}
	if r.path == "" && path == "/" {
		path = ""
	}
	changed := "//" + r.userinfo + host + path + r.tail
	if r.scheme != "" {
		changed = r.scheme + ":" + changed
	}
	return changed, changed != ref
}

// A reference is a URL reference in its parts, each as written.
type reference struct {
	scheme   string // "http" or "https" in any case; empty if relative to one
	userinfo string // with the @ at its end
	host     string // with port; empty for a path
	path     string // empty, or from the first slash
	tail     string // query and fragment, from ? or #
}

// absolute reports whether the reference names a host.
func (r reference) absolute() bool { return r.host != "" }

// splitReference takes a URL or an absolute path apart. It returns false for
// relative references, other schemes, and what clients read in different ways.
func splitReference(ref string) (r reference, ok bool) {
	if strings.ContainsAny(ref, "\t\r\n") {
		return r, false // browsers drop these wherever they are
	}
	rest := ref
	if i := strings.IndexAny(ref, ":/?#"); i >= 0 && ref[i] == ':' {
		r.scheme, rest = ref[:i], ref[i+1:]
		if defaultPort(r.scheme) == "" || !strings.HasPrefix(rest, "//") {
			return r, false
		}
	}
	if after, found := strings.CutPrefix(rest, "//"); found {
		end := strings.IndexAny(after, "/?#")
		if end < 0 {
			end = len(after)
		}
		r.host, rest = after[:end], after[end:]
		if at := strings.LastIndexByte(r.host, '@'); at >= 0 {
			r.userinfo, r.host = r.host[:at+1], r.host[at+1:]
		}
		if r.host == "" || strings.ContainsAny(r.userinfo, `\ `) {
			return r, false // browsers end the host at a backslash
		}
	} else if !strings.HasPrefix(rest, "/") || strings.HasPrefix(rest, `/\`) {
		return r, false
	}
	r.path = rest
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		r.path, r.tail = rest[:i], rest[i:]
	}
	return r, true
}
