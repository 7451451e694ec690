package redislog

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// A form is the way in which a URL leads to a server.
type form int

const (
	single form = iota
	socket
	sentinel
	cluster
)

// An address is a URL, taken apart. It has no secrets.
type address struct {
	form         form
	tls          bool
	user         string
	hosts        []string // host:port, or the path of a socket
	master       string   // what the sentinels call it
	db           int
	installation string
}

var schemes = map[string]address{
	"redis":           {form: single},
	"rediss":          {form: single, tls: true},
	"unix":            {form: socket},
	"redis+sentinel":  {form: sentinel},
	"rediss+sentinel": {form: sentinel, tls: true},
	"redis+cluster":   {form: cluster},
	"rediss+cluster":  {form: cluster, tls: true},
}

var installationName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// parse reads a URL as the package documentation describes it. Its errors
// repeat nothing of the URL, where people put passwords in spite of all.
// (net/url refuses lists of hosts.)
func parse(raw string) (address, error) {
	scheme, rest, _ := strings.Cut(raw, "://")
	a, ok := schemes[scheme]
	if !ok {
		return a, errors.New("the state is not a Redis URL: it begins with redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://")
	}
	fail := func(format string, args ...any) (address, error) {
		return address{}, fmt.Errorf("the "+scheme+":// URL of the state: "+format, args...)
	}
	rest, query, _ := strings.Cut(rest, "?")
	authority, path, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		user, password, found := strings.Cut(authority[:at], ":")
		if found && password != "" {
			return fail("a password does not belong into a URL, which ends up in logs; name the environment variable or the file that has it")
		}
		var err error
		if a.user, err = url.PathUnescape(user); err != nil {
			return fail("the user is badly escaped")
		}
		authority = authority[at+1:]
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return fail("what follows the question mark is badly escaped")
	}
	a.installation = "ficus"
	db := ""
	for name, v := range values {
		switch {
		case len(v) > 1:
			return fail("%q is there twice", name)
		case name == "installation":
			a.installation = v[0]
		case name == "db" && a.form == socket:
			db = v[0]
		case name == "password":
			return fail("a password does not belong into a URL, which ends up in logs; name the environment variable or the file that has it")
		default:
			return fail("unknown parameter; there is installation, and db with unix://")
		}
	}
	if !installationName.MatchString(a.installation) {
		return fail("an installation has a name of letters, digits, dots, dashes and underscores, 64 at most")
	}
	if a.form == socket {
		if authority != "" || path == "" {
			return fail("expected the path of a socket, as in unix:///run/redis/redis.sock")
		}
		a.hosts = []string{"/" + path}
	} else if a.hosts, err = parseHosts(authority, a.form); err != nil {
		return fail("%w", err)
	}
	switch a.form {
	case single:
		db = path
	case sentinel:
		if a.master, db, _ = strings.Cut(path, "/"); a.master == "" {
			return fail("the path must begin with the name that the sentinels have for the master")
		}
	case cluster:
		if strings.Trim(path, "/") != "" {
			return fail("a cluster has no numbered databases, so there must be no path")
		}
	}
	if db != "" {
		if a.db, err = strconv.Atoi(db); err != nil || a.db < 0 {
			return fail("the database is a number, from 0")
		}
	}
	return a, nil
}

func parseHosts(list string, f form) ([]string, error) {
	port := "6379"
	if f == sentinel {
		port = "26379"
	}
	var hosts []string
	for n, h := range strings.Split(list, ",") {
		host := h
		if !strings.Contains(h, ":") || strings.HasSuffix(h, "]") {
			host = net.JoinHostPort(strings.Trim(h, "[]"), port)
		}
		name, number, err := net.SplitHostPort(host)
		if err != nil || name == "" {
			return nil, fmt.Errorf("host %d is not of the form host or host:port", n+1)
		}
		if p, err := strconv.ParseUint(number, 10, 16); err != nil || p == 0 {
			return nil, fmt.Errorf("the port of host %d is not a number from 1 to 65535", n+1)
		}
		hosts = append(hosts, host)
	}
	if len(hosts) > 1 && f == single {
		return nil, errors.New("there is one server; several are redis+sentinel:// or redis+cluster://")
	}
	return hosts, nil
}

// String writes the address as a URL for people, without the user.
func (a address) String() string {
	s := ""
	for name, known := range schemes {
		if known.form == a.form && known.tls == a.tls {
			s = name + "://"
		}
	}
	s += strings.Join(a.hosts, ",")
	switch {
	case a.form == sentinel:
		s += fmt.Sprintf("/%s/%d", a.master, a.db)
	case a.form == single && a.db != 0:
		s += fmt.Sprintf("/%d", a.db)
	}
	var query []string
	if a.form == socket && a.db != 0 {
		query = append(query, fmt.Sprintf("db=%d", a.db))
	}
	if a.installation != "ficus" {
		query = append(query, "installation="+a.installation)
	}
	if len(query) > 0 {
		s += "?" + strings.Join(query, "&")
	}
	return s
}

// key returns the key of one of the installation's things.
func (a address) key(thing string) string {
	return "ficus:{" + a.installation + "}:" + thing
}
