package gateway

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestRedirectsToTheApplicationsOwnPortComeBackToTheGateway: an application
// that puts its port behind the client's name would send people past us.
func TestRedirectsToTheApplicationsOwnPortComeBackToTheGateway(t *testing.T) {
	var location, port string
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", location)
		w.Header().Set("Refresh", "5; url="+location)
		w.WriteHeader(http.StatusFound)
	}))
	defer app.Close()
	port = app.URL[strings.LastIndexByte(app.URL, ':'):]
	url, _ := frontOf(t, app.URL)
	client := browser(t, "h1", nil)
	for _, c := range []struct{ host, says, want string }{
		{"shop.example", "http://shop.example" + port + "/a?b#c", "http://shop.example/a?b#c"},
		{"shop.example:8080", "http://shop.example" + port + "/a", "http://shop.example:8080/a"},
		{"SHOP.example", "http://shop.EXAMPLE" + port + "/a", "http://SHOP.example/a"},
		{"[::1]:8080", "http://[::1]" + port + "/a", "http://[::1]:8080/a"},
		{"shop.example" + port, "http://shop.example" + port + "/a", "http://shop.example" + port + "/a"},
		{"shop.example", "http://shop.example:1/a", "http://shop.example:1/a"},
		{"shop.example", "http://other.example" + port + "/a", "http://other.example" + port + "/a"},
		{"shop.example", "https://shop.example/a", "https://shop.example/a"},
		{"shop.example", "/a//b", "/a//b"},
	} {
		location = c.says
		r, err := http.NewRequest(http.MethodGet, url+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = c.host
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got := res.Header.Get("Location"); got != c.want {
			t.Errorf("asked for %s, %s becomes %s, want %s", c.host, c.says, got, c.want)
		}
		if got := res.Header.Get("Refresh"); got != "5; url="+c.want {
			t.Errorf("asked for %s, Refresh becomes %s", c.host, got)
		}
	}
}
