package monolith_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/ficus-gateway/ficus/examples/shop"
	"github.com/ficus-gateway/ficus/examples/shop/monolith"
)

// A browser keeps cookies and follows no redirect.
type browser struct {
	t      *testing.T
	base   string
	client *http.Client
}

func visit(t *testing.T) (*browser, *shop.Store) {
	t.Helper()
	store, err := shop.Open(shop.Options{Seed: 1, Customers: 5})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(monolith.New(store))
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := server.Client()
	client.Jar = jar
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{t, server.URL, client}, store
}

func (b *browser) do(r *http.Request, err error) (*http.Response, string) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	res, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res, string(body)
}

func (b *browser) get(path string) (*http.Response, string) {
	b.t.Helper()
	return b.do(http.NewRequest("GET", b.base+path, nil))
}

func (b *browser) post(path string, form url.Values) (*http.Response, string) {
	b.t.Helper()
	r, err := http.NewRequest("POST", b.base+path, strings.NewReader(form.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return b.do(r, err)
}

var token = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// submit loads the page that has the form, and sends it with its token.
func (b *browser) submit(page, path string, form url.Values) (*http.Response, string) {
	b.t.Helper()
	_, body := b.get(page)
	found := token.FindStringSubmatch(body)
	if found == nil {
		b.t.Fatalf("%s has no form:\n%s", page, body)
	}
	form.Set("csrf", found[1])
	return b.post(path, form)
}

func (b *browser) login(n int) {
	b.t.Helper()
	res, body := b.submit("/login", "/login", url.Values{"email": {shop.Email(n)}, "password": {shop.Password}})
	if res.StatusCode != 303 || res.Header.Get("Location") != "/account" {
		b.t.Fatalf("login: %s %v\n%s", res.Status, res.Header, body)
	}
}

func TestCustomerBuysSomething(t *testing.T) {
	b, store := visit(t)
	sku := store.Products("kitchen")[0].SKU
	b.login(3)
	if res, _ := b.submit("/cart", "/cart", url.Values{"sku": {sku}, "quantity": {"2"}}); res.Header.Get("Location") != "/cart" {
		t.Fatalf("cart: %s", res.Status)
	}
	res, _ := b.submit("/cart", "/checkout", url.Values{"note": {"<ring twice>"}})
	if res.StatusCode != 303 || !strings.HasPrefix(res.Header.Get("Location"), "/orders/") {
		t.Fatalf("checkout: %s %v", res.Status, res.Header)
	}
	res, body := b.get(res.Header.Get("Location"))
	if res.StatusCode != 200 || !strings.Contains(body, sku) || !strings.Contains(body, "&lt;ring twice&gt;") {
		t.Errorf("order: %s\n%s", res.Status, body)
	}
	if res, _ := b.submit("/cart", "/checkout", url.Values{}); res.StatusCode != 409 {
		t.Errorf("checkout of an empty cart: %s", res.Status)
	}
}

func TestLoginSetsSessionAndUserCookies(t *testing.T) {
	b, _ := visit(t)
	if res, _ := b.get("/account"); res.Header.Get("Location") != "/login" {
		t.Errorf("account without login: %s", res.Status)
	}
	res, _ := b.submit("/login", "/login", url.Values{"email": {shop.Email(4)}, "password": {shop.Password}, "next": {"//evil.example"}})
	if at := res.Header.Get("Location"); at != "/account" {
		t.Errorf("sent to %s", at)
	}
	got := make(map[string]*http.Cookie)
	for _, cookie := range res.Cookies() {
		got[cookie.Name] = cookie
	}
	if sid := got[shop.SessionCookie]; sid == nil || !sid.HttpOnly || sid.SameSite != http.SameSiteLaxMode || sid.Path != "/" {
		t.Errorf("session cookie %v", sid)
	}
	if uid := got[shop.UserCookie]; uid == nil || uid.Value != "u4" {
		t.Errorf("user cookie %v", uid)
	}
	if res, body := b.get("/account"); res.StatusCode != 200 || !strings.Contains(body, "Welcome, ") {
		t.Errorf("account: %s\n%s", res.Status, body)
	}
	if res, _ := b.submit("/account", "/logout", url.Values{}); res.StatusCode != 303 || len(res.Cookies()) != 2 {
		t.Errorf("logout: %s %v", res.Status, res.Cookies())
	}
	if res, _ := b.get("/account"); res.StatusCode != 303 {
		t.Errorf("account after logout: %s", res.Status)
	}
}

func TestFormsNeedTheirToken(t *testing.T) {
	b, _ := visit(t)
	b.get("/login")
	for _, path := range []string{"/login", "/logout", "/cart", "/checkout"} {
		if res, _ := b.post(path, url.Values{"csrf": {"forged"}}); res.StatusCode != 403 {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	if res, body := b.submit("/login", "/login", url.Values{"email": {shop.Email(1)}, "password": {"guess"}}); res.StatusCode != 401 || !strings.Contains(body, "no account") {
		t.Errorf("wrong password: %s", res.Status)
	}
}

func TestCatalogueCanBeCached(t *testing.T) {
	b, store := visit(t)
	sku := store.Products("")[0].SKU
	tags := make(map[string]string)
	for _, path := range []string{"/", "/catalogue", "/catalogue?category=garden", "/products/" + sku, "/api/products", "/api/products/" + sku} {
		res, _ := b.get(path)
		tag := res.Header.Get("ETag")
		if res.StatusCode != 200 || tag == "" || !strings.Contains(res.Header.Get("Cache-Control"), "public") || len(res.Cookies()) > 0 {
			t.Errorf("%s: %s %v", path, res.Status, res.Header)
		}
		if other, ok := tags[tag]; ok {
			t.Errorf("%s has the tag of %s", path, other)
		}
		tags[tag] = path
		r, err := http.NewRequest("GET", b.base+path, nil)
		if err == nil {
			r.Header.Set("If-None-Match", tag)
		}
		if res, body := b.do(r, err); res.StatusCode != 304 || body != "" {
			t.Errorf("%s again: %s", path, res.Status)
		}
	}
}

func TestEveryAnswerNamesTheMonolith(t *testing.T) {
	b, _ := visit(t)
	for path, want := range map[string]int{
		"/": 200, "/cart": 200, "/orders": 200, "/healthz": 200, "/assets/shop.css": 200, "/api/orders": 200,
		"/nowhere": 404, "/api/nowhere": 404, "/products/none": 404, "/catalogue?category=none": 404, "/orders/7": 404,
		"/reports/sales.csv?every=x": 400,
	} {
		res, _ := b.get(path)
		if res.StatusCode != want || res.Header.Get(shop.ServedBy) != monolith.Name {
			t.Errorf("%s: %s, served by %q", path, res.Status, res.Header.Get(shop.ServedBy))
		}
	}
}

func TestReportArrivesPieceByPiece(t *testing.T) {
	b, store := visit(t)
	res, body := b.get("/reports/sales.csv?every=1ms")
	if lines := strings.Count(body, "\r\n"); lines != 1+len(store.Products("")) || res.ContentLength >= 0 {
		t.Errorf("%d lines, length %d", lines, res.ContentLength)
	}
}
