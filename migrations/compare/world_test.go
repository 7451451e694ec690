package compare

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// A world is a monolith and a service that answer like it, except for a fault
// that a test plants. Its clock goes on with each question.
type world struct {
	r     *rand.Rand
	now   time.Time
	seq   int
	base  func(*shot)
	fault func(*shot) // of the service only; nil: none
}

// A shot is an answer in the making.
type shot struct {
	*world
	user   int
	doc    map[string]any // JSON, unless body is set
	body   string
	answer *Answer
}

func newWorld(seed uint64, base func(*shot), fault func(*shot)) *world {
	return &world{r: rand.New(rand.NewPCG(seed, 7)), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), base: base, fault: fault}
}

func (w *world) ask(user int, candidate bool) *Answer {
	w.now = w.now.Add(time.Duration(w.r.IntN(300)) * time.Millisecond)
	w.seq++
	s := &shot{world: w, user: user, answer: &Answer{Status: 200, Header: http.Header{}}}
	w.base(s)
	if candidate && w.fault != nil {
		w.fault(s)
	}
	if s.answer.Failure != "" {
		return &Answer{Failure: s.answer.Failure}
	}
	if s.doc != nil && s.body == "" && s.answer.Body == nil {
		b, err := json.Marshal(s.doc)
		if err != nil {
			panic(err)
		}
		s.answer.Body = b
	} else if s.answer.Body == nil {
		s.answer.Body = []byte(s.body)
	}
	return s.answer
}

func (s *shot) uuid() string {
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", s.r.Uint32(), s.r.IntN(1<<16), s.r.IntN(1<<12), s.r.IntN(1<<12), s.r.Int64N(1<<48))
}

func (s *shot) token(n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	var b strings.Builder
	for range n {
		b.WriteByte(letters[s.r.IntN(len(letters))])
	}
	return b.String()
}

func (s *shot) order() map[string]any { return s.doc["order"].(map[string]any) }

// orderPage is an order as a monolith of ten years answers it: steady values,
// and every kind of noise.
func orderPage(s *shot) {
	h := s.answer.Header
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Date", s.now.Format(http.TimeFormat))
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Api-Version", "7")
	h.Set("X-Request-Id", s.uuid())
	h.Set("Vary", "Accept, Cookie")
	h.Set("Cache-Control", "private, max-age=60")
	h.Add("Set-Cookie", "sid="+s.token(32)+"; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax")
	items := []any{}
	for i := range 3 + s.user%3 {
		items = append(items, map[string]any{"sku": fmt.Sprintf("bike-%d", s.user*10+i), "qty": 1 + i, "etag": s.token(20), "gift": i == 1})
	}
	s.doc = map[string]any{
		"requestId":   s.uuid(),
		"generatedAt": s.now.Format(time.RFC3339Nano),
		"session":     s.token(40),
		"stock":       40 + s.r.IntN(20)/19, // differs from itself now and then
		"viewers":     1 + s.r.IntN(500),
		"load":        s.r.Float64(),
		"promo":       []string{"Free shipping today", "Ten percent off"}[s.r.IntN(2)],
		"served":      s.seq,
		"suggested":   shuffled(s.r, "bell", "lamp", "lock", "pump"),
		"order": map[string]any{
			"id": json.Number(fmt.Sprint(9007199254740993 + 2*s.user)), "status": "paid", "paid": true, "total": "19.90", "price": json.Number("12.55"),
			"placed": "2025-11-03T10:00:00Z", "name": "Zoë & Sons", "tags": []any{"new", "blue", "fragile"}, "items": items,
			"locale": "de-DE", "lines": []any{1, 2, 3},
		},
	}
	if s.user%10 == 0 {
		s.doc["email"] = "someone@example.com"
	}
}

func shuffled(r *rand.Rand, words ...string) []any {
	r.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
	list := make([]any, len(words))
	for i, w := range words {
		list[i] = w
	}
	return list
}

// htmlPage is a page with a token in a form and a clock at its foot.
func htmlPage(s *shot) {
	s.answer.Header.Set("Content-Type", "text/html; charset=utf-8")
	s.body = fmt.Sprintf(`<!doctype html><html><head><title>Order %d</title><meta name=csrf content=%s></head>
<body><h1>Order for Zoë</h1><ul><li>bell<li>lamp</ul><a href="/orders/%d/pay" class="btn main">Pay</a>
<form><input type=hidden name=token value=%s></form><p id=total>EUR 19.90</p><footer>Rendered at %s in %d ms</footer></body></html>`,
		s.user, s.token(24), s.user, s.token(32), s.now.Format(time.RFC3339), s.r.IntN(90))
}

func xmlPage(s *shot) {
	s.answer.Header.Set("Content-Type", "application/xml")
	s.body = fmt.Sprintf(`<?xml version="1.0"?><o:order xmlns:o="urn:orders" id="%d"><total currency="EUR">19.90</total><at>%s</at><line n="1">bell</line><line n="2">lamp</line></o:order>`,
		s.user, s.now.Format(time.RFC3339))
}

func formPage(s *shot) {
	s.answer.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	s.body = fmt.Sprintf("state=paid&amount=19.90&nonce=%s&line=bell&line=lamp", s.token(24))
}

func textPage(s *shot) {
	s.answer.Header.Set("Content-Type", "text/plain")
	s.body = fmt.Sprintf("order %d\nstate: paid\ntotal: 19.90\nrendered %s\n", s.user, s.now.Format(time.RFC3339))
}

func binaryPage(s *shot) {
	s.answer.Header.Set("Content-Type", "image/png")
	s.body = "\x89PNG\r\n\x1a\n" + strings.Repeat("\x00\x01", 200)
}

func redirectPage(s *shot) {
	s.answer.Status = 302
	s.answer.Header.Set("Location", fmt.Sprintf("http://shop.example/orders/%d", s.user))
}

// A shadowing is what gateway/shadow does, without a network: it asks the
// sides of a world and feeds a study.
type shadowing struct {
	*world
	study *Study
	rules *Rules
	noted []Discovery
}

func (w *world) shadow(rules *Rules) *shadowing {
	return &shadowing{world: w, study: NewStudy(NoiseOptions{}, FindingsOptions{}), rules: rules}
}

func (s *shadowing) observe() {
	user := s.r.IntN(1000)
	endpoint := s.study.Endpoint("GET", fmt.Sprintf("/orders/%d", user))
	probe, candidateFirst := s.study.Wants(endpoint, s.r.Float64(), s.r.Float64())
	profile := s.study.Noise.Profile(endpoint)
	control := s.ask(user, false)
	var candidate, second *Answer
	if probe && !candidateFirst {
		second = s.ask(user, false)
	}
	candidate = s.ask(user, true)
	if probe && candidateFirst {
		second = s.ask(user, false)
	}
	o := &Observation{Endpoint: endpoint, Time: s.now, Repeatable: true, Result: Compare(control, candidate, s.rules, profile)}
	if probe {
		r := Probe(control, second, s.rules, profile)
		o.Probe = &r
	}
	if s.study.WantsRecheck(&o.Result) {
		var c2, s2 *Answer
		if s.r.IntN(2) == 0 {
			c2, s2 = s.ask(user, false), s.ask(user, true)
		} else {
			s2, c2 = s.ask(user, true), s.ask(user, false)
		}
		o.Drift = Recheck(&o.Result, control, candidate, c2, s2, s.rules, profile)
	}
	proved, _ := s.study.Add(o)
	s.noted = append(s.noted, proved...)
}

// shows says whether a finding that people see has the path and kind.
func (s *shadowing) shows(path string, kind Kind) bool {
	for _, f := range s.study.Findings.Real(s.now) {
		for _, sign := range f.Signs {
			if sign.Path == path && sign.Kind == kind {
				return true
			}
		}
	}
	return false
}
