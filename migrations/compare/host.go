package compare

import "bytes"

// sameHosts appends text to buf with the hosts of both sides, where they stand
// after "//", replaced by one mark. It says whether there were any. Scheme and
// port go with the host.
func (r *Rules) sameHosts(buf, text []byte) ([]byte, bool) {
	if len(r.hosts) == 0 || !bytes.Contains(text, []byte("//")) {
		return text, false
	}
	start := len(buf)
	found := false
	rest := bytes.Clone(text) // text may be in buf
	for {
		i := bytes.Index(rest, []byte("//"))
		if i < 0 {
			buf = append(buf, rest...)
			break
		}
		host := r.hostAt(rest[i+2:])
		if host == 0 {
			buf = append(buf, rest[:i+2]...)
			rest = rest[i+2:]
			continue
		}
		found = true
		before := rest[:i]
		for _, scheme := range []string{"https:", "http:", "wss:", "ws:"} {
			if cut, ok := bytes.CutSuffix(before, []byte(scheme)); ok {
				before = cut
				break
			}
		}
		buf = append(append(buf, before...), "//\x00"...)
		rest = rest[i+2+host:]
	}
	return buf[start:], found
}

// hostAt returns the length of the host of ours that s begins with, with its
// port, or 0.
func (r *Rules) hostAt(s []byte) int {
	for _, h := range r.hosts {
		if len(s) < len(h) || !bytes.EqualFold(s[:len(h)], []byte(h)) {
			continue
		}
		n := len(h)
		if n < len(s) && s[n] == ':' {
			n++
			for n < len(s) && s[n] >= '0' && s[n] <= '9' {
				n++
			}
		}
		if n == len(s) || bytes.IndexByte([]byte("/?#\"'<>& \t\r\n,;)"), s[n]) >= 0 {
			return n
		}
	}
	return 0
}
