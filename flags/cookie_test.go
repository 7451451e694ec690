package flags

import (
	"maps"
	"net/http"
	"slices"
	"testing"
)

func TestStripCookiesLeavesTheOthersAlone(t *testing.T) {
	for name, c := range map[string]struct{ in, want []string }{
		"none at all":          {nil, nil},
		"none of ours":         {[]string{" a=1;b=2 ;; c"}, []string{" a=1;b=2 ;; c"}},
		"only ours":            {[]string{"ficus_id=x"}, nil},
		"only ours, twice":     {[]string{"ficus_id=x; ficus_journey=y"}, nil},
		"first":                {[]string{"ficus_id=x; a=1; b=2"}, []string{"a=1; b=2"}},
		"middle":               {[]string{"a=1; ficus_id=x; b=2"}, []string{"a=1; b=2"}},
		"last":                 {[]string{"a=1; b=2; ficus_id=x"}, []string{"a=1; b=2"}},
		"no spaces":            {[]string{"a=1;ficus_id=x;b=2"}, []string{"a=1;b=2"}},
		"odd bytes stay":       {[]string{"a=\"x y\" ;  b=\xff; ficus_id=x;c;;d="}, []string{"a=\"x y\" ;  b=\xff;c;;d="}},
		"in a value":           {[]string{" a=ficus_id; b=2"}, []string{" a=ficus_id; b=2"}},
		"without a value":      {[]string{"ficus_id; a=1"}, []string{"a=1"}},
		"another's, like ours": {[]string{"my_ficus_id=1; Ficus_id=2"}, []string{"my_ficus_id=1; Ficus_id=2"}},
		"several fields":       {[]string{"a=1; ficus_id=x", "ficus_journey=y", "b=2"}, []string{"a=1", "b=2"}},
		"of the admin by TLS":  {[]string{"a=1; __Host-ficus_admin=x; __Host-sid=y"}, []string{"a=1; __Host-sid=y"}},
		"an empty field stays": {[]string{"", "ficus_id=x"}, []string{""}},
	} {
		h := http.Header{"Accept": {"*/*"}}
		if c.in != nil {
			h["Cookie"] = slices.Clone(c.in)
		}
		shallow := maps.Clone(h)
		StripCookies(shallow)
		if !slices.Equal(shallow["Cookie"], c.want) {
			t.Errorf("%s: %q, want %q", name, shallow["Cookie"], c.want)
		}
		if _, there := shallow["Cookie"]; there != (c.want != nil) {
			t.Errorf("%s: an empty field is left", name)
		}
		if !slices.Equal(h["Cookie"], c.in) {
			t.Errorf("%s: the original changed to %q", name, h["Cookie"])
		}
	}
}

func TestScanningAndStrippingNothingAllocatesNothing(t *testing.T) {
	h := http.Header{"Cookie": {"theme=dark; session=0123456789abcdef", "uid=4711"}}
	n := testing.AllocsPerRun(100, func() {
		StripCookies(h)
		for name := range cookies(h) {
			if name == "none" {
				t.Error("found")
			}
		}
		for range queries("a=1&b=2&c=3", "none") {
			t.Error("found")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
