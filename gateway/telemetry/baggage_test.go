package telemetry

import (
	"net/http"
	"strings"
	"testing"
)

func TestAddBaggage(t *testing.T) {
	for _, tt := range []struct {
		name       string
		lines      []string
		key, value string
		want       string
		ok         bool
	}{
		{"first", nil, "ficus.side", "modern", "ficus.side=modern", true},
		{"others stay as they came", []string{"a=1;p=q , b=%20", "c=3"}, "k", "v", "a=1;p=q , b=%20,c=3,k=v", true},
		{"replaces its own", []string{"k=1, a=2 ,k=3;p"}, "k", "v", " a=2 ,k=v", true},
		{"value is encoded", nil, "k", "a b,c;d\"\\%é", "k=a%20b%2Cc%3Bd%22%5C%25%C3%A9", true},
		{"key is no token", []string{"a=1"}, "k,x", "v", "a=1", false},
		{"no key", nil, "", "v", "", false},
		{"too long", []string{"a=1"}, "k", strings.Repeat("v", maxBaggage-5), "a=1", false},
		{"as long as allowed", nil, "k", strings.Repeat("v", maxBaggage-2), "k=" + strings.Repeat("v", maxBaggage-2), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := http.Header{}
			if tt.lines != nil {
				h["Baggage"] = tt.lines
			}
			if ok := AddBaggage(h, tt.key, tt.value); ok != tt.ok {
				t.Errorf("reports %v", ok)
			}
			if got := strings.Join(h["Baggage"], ","); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
