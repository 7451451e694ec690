package redislog

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestURLsLeadWhereTheySay(t *testing.T) {
	for url, want := range map[string]address{
		"redis://host":                         {hosts: []string{"host:6379"}},
		"redis://ann@host:7000/3":              {hosts: []string{"host:7000"}, user: "ann", db: 3},
		"redis://an%40n:@host":                 {hosts: []string{"host:6379"}, user: "an@n"},
		"redis://[::1]":                        {hosts: []string{"[::1]:6379"}},
		"redis://[::1]:7":                      {hosts: []string{"[::1]:7"}},
		"rediss://host?installation=shop":      {hosts: []string{"host:6379"}, tls: true, installation: "shop"},
		"unix:///run/redis.sock?db=2":          {form: socket, hosts: []string{"/run/redis.sock"}, db: 2},
		"redis+sentinel://a,b:7/main/2":        {form: sentinel, hosts: []string{"a:26379", "b:7"}, master: "main", db: 2},
		"rediss+sentinel://a/main":             {form: sentinel, hosts: []string{"a:26379"}, master: "main", tls: true},
		"redis+cluster://a,b:7":                {form: cluster, hosts: []string{"a:6379", "b:7"}},
		"rediss+cluster://a/?installation=x.y": {form: cluster, hosts: []string{"a:6379"}, tls: true, installation: "x.y"},
	} {
		if want.installation == "" {
			want.installation = "ficus"
		}
		got, err := parse(url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(address{})); diff != "" {
			t.Errorf("%s:\n%s", url, diff)
		}
		again, err := parse(got.String())
		want.user = "" // not for people's eyes
		if diff := cmp.Diff(want, again, cmp.AllowUnexported(address{})); diff != "" || err != nil {
			t.Errorf("%s became %s: %v\n%s", url, got, err, diff)
		}
	}
}

func TestErrorsOfURLsRepeatNothingOfThem(t *testing.T) {
	for url, want := range map[string]string{
		"":                                 "begins with redis://",
		"http://s3cret":                    "begins with redis://",
		"redis://:s3cret@host":             "a password does not belong into a URL",
		"redis://s3cret:s3cret@host":       "a password does not belong into a URL",
		"redis://host?password=s3cret":     "a password does not belong into a URL",
		"redis://host:s3cret":              "the port of host 1 is not a number",
		"redis://:s3cret":                  "host 1 is not of the form",
		"redis://u:s3/cret@host":           "the port of host 1 is not a number",
		"redis://host/s3cret":              "the database is a number",
		"redis://host/-1":                  "the database is a number",
		"redis://":                         "host 1 is not of the form",
		"redis://a,b":                      "there is one server",
		"redis://host?s3cret=1":            "unknown parameter",
		"redis://host?installation=s3{}et": "an installation has a name",
		"redis://host?%zz":                 "badly escaped",
		"redis://%zz@host":                 "badly escaped",
		"redis+sentinel://host":            "the name that the sentinels have",
		"redis+cluster://host/3":           "no numbered databases",
		"unix://host/path":                 "the path of a socket",
		"redis://host?db=1":                "unknown parameter",
	} {
		_, err := parse(url)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "s3") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
