package compare

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

// A planted fault, and the path and kind of the finding that it has to become.
type planted struct {
	name  string
	base  func(*shot)
	path  string
	kind  Kind
	fault func(*shot)
}

func set(key string, v any) func(*shot) { return func(s *shot) { s.doc[key] = v } }

func setOrder(key string, v any) func(*shot) { return func(s *shot) { s.order()[key] = v } }

func replaced(old, with string) func(*shot) {
	return func(s *shot) { s.body = strings.ReplaceAll(s.body, old, with) }
}

func cookieWith(old, with string) func(*shot) {
	return func(s *shot) {
		s.answer.Header.Set("Set-Cookie", strings.Replace(s.answer.Header.Get("Set-Cookie"), old, with, 1))
	}
}

func header(name, value string) func(*shot) {
	return func(s *shot) { s.answer.Header.Set(name, value) }
}

func lost(name string) func(*shot) { return func(s *shot) { s.answer.Header.Del(name) } }

func rawBody(old, with string) func(*shot) {
	return func(s *shot) {
		b, _ := json.Marshal(s.doc)
		s.answer.Body = bytes.Replace(b, []byte(old), []byte(with), 1)
	}
}

func sometimes(share float64, f func(*shot)) func(*shot) {
	return func(s *shot) {
		if s.r.Float64() < share {
			f(s)
		}
	}
}

func forUsers(every int, f func(*shot)) func(*shot) {
	return func(s *shot) {
		if s.user%every == 0 {
			f(s)
		}
	}
}

var catalogue = []planted{
	{"a volatile value stuck at zero", orderPage, "$.stock", KindValue, set("stock", 0)},
	{"a volatile value that is always another", orderPage, "$.stock", KindValue, set("stock", 55)},
	{"a uuid emptied", orderPage, "$.requestId", KindValue, set("requestId", "")},
	{"a uuid that is null", orderPage, "$.requestId", KindNull, set("requestId", nil)},
	{"an integer above 2^53 off by one", orderPage, "$.order.id", KindValue, func(s *shot) {
		s.order()["id"] = json.Number(strings.Replace(s.order()["id"].(json.Number).String(), "900719925474", "900719925475", 1))
	}},
	{"an integer rounded through a float", orderPage, "$.order.id", KindValue, func(s *shot) {
		f, _ := s.order()["id"].(json.Number).Float64()
		s.order()["id"] = int64(f)
	}},
	{"a field missing only for some users", orderPage, "$.email", KindMissing, func(s *shot) { delete(s.doc, "email") }},
	{"a field missing for one user in fifty", orderPage, "$.order.locale", KindMissing, forUsers(50, func(s *shot) { delete(s.order(), "locale") })},
	{"another order where order matters", orderPage, "$.order.tags", KindOrder, setOrder("tags", []any{"blue", "new", "fragile"})},
	{"null for absent", orderPage, "$.order.note", KindExtra, setOrder("note", nil)},
	{"null for a value", orderPage, "$.order.status", KindNull, setOrder("status", nil)},
	{"a number as a string", orderPage, "$.order.price", KindType, setOrder("price", "12.55")},
	{"a string as a number", orderPage, "$.order.total", KindType, setOrder("total", 19.9)},
	{"trailing zeros", orderPage, "$.order.total", KindValue, setOrder("total", "19.9")},
	{"a price rounded", orderPage, "$.order.price", KindValue, setOrder("price", 12.5)},
	{"a price off by a cent, one in twenty", orderPage, "$.order.price", KindValue, sometimes(0.05, setOrder("price", json.Number("12.56")))},
	{"a truth turned round", orderPage, "$.order.paid", KindValue, setOrder("paid", false)},
	{"another case", orderPage, "$.order.status", KindValue, setOrder("status", "PAID")},
	{"white space", orderPage, "$.order.status", KindValue, setOrder("status", "paid ")},
	{"text escaped twice", orderPage, "$.order.name", KindValue, setOrder("name", "Zoë &amp; Sons")},
	{"text decoded as latin-1", orderPage, "$.order.name", KindValue, setOrder("name", "ZoÃ« & Sons")},
	{"text that is not UTF-8", orderPage, "$.order.name", KindUTF8, rawBody("Zoë", "Zo\xeb")},
	{"a key twice", orderPage, "$.order", KindDuplicate, rawBody(`"locale":"de-DE"`, `"locale":"de-DE","locale":"de-DE"`)},
	{"an element lost", orderPage, "$.order.items[*]", KindMissing, func(s *shot) { s.order()["items"] = s.order()["items"].([]any)[1:] }},
	{"an element twice", orderPage, "$.order.items[*]", KindExtra, func(s *shot) {
		items := s.order()["items"].([]any)
		s.order()["items"] = append(items[:len(items):len(items)], items[0])
	}},
	{"an array emptied", orderPage, "$.order.lines[*]", KindMissing, setOrder("lines", []any{})},
	{"an object for an array", orderPage, "$.order.lines", KindType, setOrder("lines", map[string]any{"0": 1})},
	{"a wrong element for some users", orderPage, "$.order.items[*].qty", KindValue, forUsers(30, func(s *shot) {
		s.order()["items"].([]any)[1].(map[string]any)["qty"] = 9
	})},
	{"an etag emptied in volatile elements", orderPage, "$.order.items[*].etag", KindValue, func(s *shot) {
		s.order()["items"].([]any)[0].(map[string]any)["etag"] = ""
	}},
	{"a clock that stands", orderPage, "$.generatedAt", KindValue, set("generatedAt", "2026-01-01T00:00:00Z")},
	{"a clock of another zone", orderPage, "$.generatedAt", KindValue, func(s *shot) { s.doc["generatedAt"] = s.now.Add(2 * time.Hour).Format(time.RFC3339Nano) }},
	{"a time as a number", orderPage, "$.generatedAt", KindType, func(s *shot) { s.doc["generatedAt"] = s.now.Unix() }},
	{"a token cut", orderPage, "$.session", KindValue, func(s *shot) { s.doc["session"] = s.token(18) }},
	{"a count below zero", orderPage, "$.viewers", KindValue, set("viewers", -1)},
	{"a variant that nobody ordered", orderPage, "$.promo", KindValue, set("promo", "undefined")},
	{"a shuffled array that lost an element", orderPage, "$.suggested[*]", KindMissing, func(s *shot) { s.doc["suggested"] = s.doc["suggested"].([]any)[1:] }},
	{"a wrong status", orderPage, Status, KindStatus, func(s *shot) { s.answer.Status = 201 }},
	{"errors for one in a hundred", orderPage, Status, KindStatus, sometimes(0.01, func(s *shot) { s.answer.Status = 500 })},
	{"timeouts for one in a hundred", orderPage, Status, KindTimeout, sometimes(0.01, func(s *shot) { s.answer.Failure = TimedOut })},
	{"no answer for some users", orderPage, Status, KindFailed, forUsers(40, func(s *shot) { s.answer.Failure = Failed })},
	{"a lost header", orderPage, "header.X-Frame-Options", KindMissing, lost("X-Frame-Options")},
	{"another header", orderPage, "header.X-Api-Version", KindValue, header("X-Api-Version", "8")},
	{"a cookie lost", orderPage, "cookie.sid", KindMissing, lost("Set-Cookie")},
	{"a cookie for everybody's scripts", orderPage, "cookie.sid.HttpOnly", KindMissing, cookieWith(" HttpOnly;", "")},
	{"a cookie of another path", orderPage, "cookie.sid.Path", KindValue, cookieWith("Path=/", "Path=/orders")},
	{"a cookie of another site policy", orderPage, "cookie.sid.SameSite", KindValue, cookieWith("Lax", "None")},
	{"a cookie that ends sooner", orderPage, "cookie.sid.Expires", KindValue, cookieWith("3600", "36")},
	{"a Vary that lost one", orderPage, "header.Vary", KindValue, header("Vary", "Accept")},
	{"private made public", orderPage, "header.Cache-Control", KindValue, header("Cache-Control", "public, max-age=60")},
	{"another media type", orderPage, "header.Content-Type", KindValue, header("Content-Type", "text/plain")},
	{"an error page with status 200", orderPage, "$", KindFormat, func(s *shot) {
		s.body, s.doc = "<!doctype html><h1>Sorry</h1>", nil
		s.answer.Header.Set("Content-Type", "text/html")
	}},
	{"an error page with status 200 for one in thirty", orderPage, "$", KindFormat, forUsers(30, func(s *shot) { s.body = "<!doctype html><h1>Sorry</h1>" })},
	{"no body", orderPage, "$", KindFormat, func(s *shot) { s.answer.Body = []byte{} }},
	{"broken JSON", orderPage, "$", KindSyntax, rawBody(`"load":`, `"load":NaN,"x":`)},
	{"truncated gzip", orderPage, "$", KindEncoding, func(s *shot) {
		raw, _ := json.Marshal(s.doc)
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(raw)
		_ = z.Close()
		s.answer.Body = b.Bytes()[:b.Len()/2]
		s.answer.Header.Set("Content-Encoding", "gzip")
	}},
	{"a redirect elsewhere", redirectPage, "header.Location", KindValue, header("Location", "/login")},
	{"a wrong charset", htmlPage, "header.Content-Type", KindCharset, header("Content-Type", "text/html; charset=iso-8859-1")},
	{"a page in a charset that it does not name", htmlPage, "$.html.body.h1.text()", KindValue, replaced("ë", "\xeb")},
	{"a link elsewhere", htmlPage, "$.html.body.a.@href", KindValue, replaced("/pay", "/buy")},
	{"a class lost", htmlPage, "$.html.body.a.@class", KindMissing, replaced(` class="btn main"`, "")},
	{"another sum on a page", htmlPage, "$.html.body.p.text()", KindValue, replaced("19.90", "19.09")},
	{"an element lost from a page", htmlPage, "$.html.body.h1", KindMissing, replaced("<h1>Order for Zoë</h1>", "")},
	{"a list in another order", htmlPage, "$.html.body.ul", KindOrder, replaced("<li>bell<li>lamp", "<li>lamp<li>bell")},
	{"a form token emptied", htmlPage, "$.html.body.form.input.@value", KindValue, func(s *shot) {
		i := strings.Index(s.body, "name=token value=") + len("name=token value=")
		s.body = s.body[:i] + `""` + s.body[i+32:]
	}},
	{"another currency in XML", xmlPage, "$.order.total.@currency", KindValue, replaced("EUR", "USD")},
	{"another namespace", xmlPage, "$.order.@xmlns", KindValue, replaced("urn:orders", "urn:order")},
	{"a form field", formPage, "$.state", KindValue, replaced("paid", "open")},
	{"a line of text", textPage, "text[*]", KindValue, replaced("paid", "open")},
	{"a byte of an image", binaryPage, "$", KindValue, func(s *shot) { s.body = s.body[:100] + "x" + s.body[101:] }},
	{"a cookie header of two", orderPage, "cookie.extra", KindExtra, func(s *shot) { s.answer.Header.Add("Set-Cookie", (&http.Cookie{Name: "extra", Value: "1"}).String()) }},
}

func TestFindsWhatIsThere(t *testing.T) {
	if len(catalogue) < 40 {
		t.Fatalf("%d faults in the catalogue", len(catalogue))
	}
	rules, err := CompileRules(Definition{Hosts: []string{"shop.example"}, MaskKey: []byte("k")}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range catalogue {
		t.Run(c.name, func(t *testing.T) {
			s := newWorld(uint64(i), c.base, c.fault).shadow(rules)
			for n := 1; n <= 2000; n++ {
				s.observe()
				if len(s.noted) > 0 && s.shows(c.path, c.kind) {
					t.Logf("after %d observations", n)
					return
				}
			}
			t.Errorf("no finding %s %s; shown are:", c.path, c.kind)
			for _, f := range s.study.Findings.Real(s.now) {
				t.Errorf("  %v of %d", f.Signs, f.Count)
			}
			for _, f := range s.study.Findings.All(s.now) {
				if f.State == Suspected && f.Count > 5 {
					t.Errorf("  suspected: %v of %d, %d races", f.Signs, f.Count, f.Races)
				}
			}
		})
	}
}
