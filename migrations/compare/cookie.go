package compare

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// cookies compares what two answers set, by name and attribute. The value of
// a cookie is compared like any other: two sides draw different session ids,
// of one class.
func (d *differ) cookies(control, candidate http.Header) {
	if len(control["Set-Cookie"]) == 0 && len(candidate["Set-Cookie"]) == 0 {
		return
	}
	a, b := parseCookies(control), parseCookies(candidate)
	now, skewed := serverTime(control), serverTime(candidate)
	for i, x := range a {
		y := takeCookie(b, x.Name)
		if anyMatchesName(d.rules.ignore, "cookie", x.Name) {
			continue
		}
		if y == nil {
			if i < 64 {
				d.named("cookie."+cookieName(x.Name), KindMissing, "cookie", x.Value, "", Nothing, x.Name)
			}
			continue
		}
		d.cookie(x, y, now, skewed)
	}
	for _, y := range b {
		if y != nil && !anyMatchesName(d.rules.ignore, "cookie", y.Name) {
			d.named("cookie."+cookieName(y.Name), KindExtra, "cookie", "", y.Value, Nothing, y.Name)
		}
	}
}

// cookieName in a path: one that is made anew each time is one of many.
func cookieName(s string) string {
	if opaqueKey([]byte(s)) {
		return "*"
	}
	return s
}

func parseCookies(h http.Header) []*http.Cookie {
	var list []*http.Cookie
	for _, line := range h["Set-Cookie"] {
		if c, err := http.ParseSetCookie(line); err == nil {
			list = append(list, c)
		} else if name, value, ok := strings.Cut(line, "="); ok {
			// Browsers take more than the standard library does.
			value, _, _ = strings.Cut(value, ";")
			list = append(list, &http.Cookie{Name: strings.TrimSpace(name), Value: value, Raw: line})
		}
		if len(list) == 256 {
			break
		}
	}
	return list
}

func takeCookie(list []*http.Cookie, name string) *http.Cookie {
	for i, c := range list {
		if c != nil && c.Name == name {
			list[i] = nil
			return c
		}
	}
	return nil
}

func serverTime(h http.Header) time.Time {
	t, _ := http.ParseTime(h.Get("Date"))
	return t
}

func (d *differ) cookie(x, y *http.Cookie, dateX, dateY time.Time) {
	path := "cookie." + cookieName(x.Name)
	if x.Value != y.Value {
		agree := d.textLevel(x.Value, y.Value)
		d.named(path, KindValue, "cookie", x.Value, y.Value, agree, x.Name)
	}
	d.attribute(path, "Path", x.Name, x.Path, y.Path)
	d.attribute(path, "Domain", x.Name, strings.TrimPrefix(strings.ToLower(x.Domain), "."), strings.TrimPrefix(strings.ToLower(y.Domain), "."))
	d.attribute(path, "SameSite", x.Name, sameSite(x.SameSite), sameSite(y.SameSite))
	d.attribute(path, "Secure", x.Name, ifSet(x.Secure), ifSet(y.Secure))
	d.attribute(path, "HttpOnly", x.Name, ifSet(x.HttpOnly), ifSet(y.HttpOnly))
	d.attribute(path, "Partitioned", x.Name, ifSet(x.Partitioned), ifSet(y.Partitioned))
	// Max-Age and Expires say the same thing in two ways.
	lx, ly := lifetime(x, dateX), lifetime(y, dateY)
	if apart := lx - ly; lx != ly && (lx == 0 || ly == 0 || apart > d.rules.skew || apart < -d.rules.skew) {
		d.attribute(path, "Expires", x.Name, seconds(lx), seconds(ly))
	}
}

func (d *differ) attribute(path, name, cookie, a, b string) {
	if a == b || anyMatchesName(d.rules.ignore, "cookie", cookie, name) {
		return
	}
	kind, agree := KindValue, Typed
	switch {
	case b == "":
		kind, agree = KindMissing, Nothing
	case a == "":
		kind, agree = KindExtra, Nothing
	}
	d.named(path+"."+name, kind, "cookie", a, b, agree, cookie, name)
}

func ifSet(b bool) string {
	if b {
		return "set"
	}
	return ""
}

func sameSite(s http.SameSite) string {
	switch s {
	case http.SameSiteLaxMode:
		return "Lax"
	case http.SameSiteStrictMode:
		return "Strict"
	case http.SameSiteNoneMode:
		return "None"
	}
	return ""
}

// lifetime of a cookie: 0 ends with the browser's session, −1 deletes it.
func lifetime(c *http.Cookie, date time.Time) time.Duration {
	switch {
	case c.MaxAge < 0:
		return -1
	case c.MaxAge > 0:
		return time.Duration(min(c.MaxAge, 1<<31)) * time.Second
	case c.Expires.IsZero():
		return 0
	case c.Expires.Year() < 2001:
		return -1
	case date.IsZero():
		return c.Expires.Sub(time.Unix(1e9, 0))
	}
	if d := c.Expires.Sub(date); d > 0 {
		return d
	}
	return -1
}

func seconds(d time.Duration) string {
	switch d {
	case 0:
		return ""
	case -1:
		return "deleted"
	}
	return strconv.Itoa(int(d / time.Second))
}
