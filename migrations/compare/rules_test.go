package compare

import (
	"strings"
	"testing"
	"time"
)

func TestRulesSetDifferencesAside(t *testing.T) {
	for _, c := range []struct {
		rule Rule
		a, b string
		want string
	}{
		{Rule{Do: Ignore, Path: "$.at"}, `{"a":1,"at":1}`, `{"a":1}`, "match"},
		{Rule{Do: Ignore, Path: "$..etag"}, `{"x":[{"etag":1}],"etag":2}`, `{"x":[{"etag":3}],"etag":4}`, "match"},
		{Rule{Do: Ignore, Path: "$.x[*].etag"}, `{"x":[{"n":1,"etag":1},{"n":2,"etag":1}]}`, `{"x":[{"n":2,"etag":5},{"n":1,"etag":6}]}`, "mismatch\n$.x order array→array normalised"},
		{Rule{Do: Ignore, Path: "$.x.*.etag"}, `{"x":{"q":{"etag":1}}}`, `{"x":{"q":{"etag":3}}}`, "match"},
		{Rule{Do: Ignore, Path: "$['odd name']"}, `{"odd name":1}`, `{}`, "match"},
		{Rule{Do: Unordered, Path: "$.x"}, `{"x":[1,2]}`, `{"x":[2,1]}`, "match"},
		{Rule{Do: Tolerance, Path: "$.x", With: "0.01"}, `{"x":1.00}`, `{"x":1.01}`, "match"},
		{Rule{Do: Tolerance, Path: "$.x", With: "0.01"}, `{"x":1.00}`, `{"x":1.0100000000000000000001}`, "mismatch\n$.x value decimal→decimal class"},
		{Rule{Do: Tolerance, Path: "$.x", With: "1%"}, `{"x":"200"}`, `{"x":"202"}`, "match"},
		{Rule{Do: Round, Path: "$.x", With: "2"}, `{"x":1.005}`, `{"x":1.0099}`, "match"},
		{Rule{Do: Equals, Path: "$.x", With: "lower(a) == lower(b)"}, `{"x":"A"}`, `{"x":"a"}`, "match"},
		{Rule{Do: Equals, Path: "$.x", With: "a == nil || b == nil"}, `{"x":1}`, `{}`, "match"},
		{Rule{Do: Equals, Path: "$.x", With: "len(a) == len(b)"}, `{"x":[1,2]}`, `{"x":[5,6]}`, "match"},
		{Rule{Do: Equals, Path: "$.x", With: "a + 1 == b"}, `{"x":9007199254740993}`, `{"x":9007199254740994}`, "match"},
		{Rule{Do: Equals, Path: "$.x", With: "a + 1 == b"}, `{"x":"one"}`, `{"x":2}`, "mismatch\n$.x type word→integer presence"},
	} {
		if got := say(Compare(jsonPage(c.a), jsonPage(c.b), rulesOf(t, c.rule), nil)); got != c.want {
			t.Errorf("%s: %s with %s:\n%s\nwant:\n%s", c.rule, c.a, c.b, got, c.want)
		}
	}
}

func TestBadRulesSayWhatToWrite(t *testing.T) {
	for rule, want := range map[Rule]string{
		{Do: "skip", Path: "$.a"}:                  "the actions are",
		{Do: Ignore, Path: "a.b"}:                  `did you mean "$.a.b"`,
		{Do: Ignore, Path: "$.items[*"}:            "missing ]",
		{Do: Ignore, Path: "$.items[x]"}:           "['x'] for a member",
		{Do: Ignore, Path: "$.a..[0]"}:             "after .. comes a name",
		{Do: Ignore, Path: "$.a b"}:                "needs quotes",
		{Do: Ignore, Path: "$"}:                    "whole body",
		{Do: Ignore, Path: "status"}:               "always compared",
		{Do: Ignore, Path: "header."}:              "names no header",
		{Do: Ignore, Path: "cookie.a."}:            "names no cookie",
		{Do: Unordered, Path: "header.Vary"}:       "begin with $",
		{Do: Tolerance, Path: "$.a"}:               "needs a value",
		{Do: Tolerance, Path: "$.a", With: "much"}: "is no tolerance",
		{Do: Round, Path: "$.a", With: "-1"}:       "number of decimals",
		{Do: Equals, Path: "$.a", With: "a ="}:     "is no expression",
		{Do: Equals, Path: "$.a", With: "a + c"}:   "is no expression",
		{Do: Keep, Path: "$.a", With: "1"}:         "takes no value",
	} {
		_, err := CompileRules(Definition{Rules: []Rule{rule}}, defaultTime)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", rule, err, want)
		}
	}
}

func TestRulesEnd(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	rule := Rule{Do: Ignore, Path: "$.a", Owner: "alice", Until: now.Add(time.Hour)}
	for at, want := range map[time.Time]int{now: 1, now.Add(time.Hour): 0} {
		r, err := CompileRules(Definition{Rules: []Rule{rule}}, at)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Active()) != want {
			t.Errorf("at %s: %d rules, want %d", at, len(r.Active()), want)
		}
	}
}

func TestHeadersAreComparedByWhatTheyMean(t *testing.T) {
	rules, err := CompileRules(Definition{Hosts: []string{"mono:3000", "shop.example"}, Rules: []Rule{{Do: Ignore, Path: "header.X-Debug-*"}, {Do: Ignore, Path: "cookie.ab"}, {Do: Equals, Path: "status", With: "a == 200 && b == 204"}}}, defaultTime)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, a, b, want string }{
		{"ids and dates", "Date: x", "X-Request-Id: 7", "match"},
		{"a set", "Vary: Accept, Cookie", "Vary: cookie,accept", "match"},
		{"hosts", "Location: http://mono:3000/a?b=1", "Location: https://shop.example/a?b=1", "match"},
		{"no host", "Location: http://mono:3000/a", "Location: /a", "match"},
		{"a foreign host", "Location: http://mono:3000/a", "Location: http://evil.example/a", "mismatch\nheader.Location value url→url class"},
		{"an etag", `Etag: "a"`, `Etag: "b"`, "match"},
		{"a weak etag", `Etag: "a"`, `Etag: W/"a"`, "mismatch\nheader.Etag value text→text class"},
		{"a rule", "X-Debug-A: 1", "X-Debug-B: 1", "match"},
		{"a lost header", "X-A: 1", "Date: x", "mismatch\nheader.X-A missing digits→absent nothing"},
		{"a cookie that a rule ignores", "Set-Cookie: ab=1", "Date: x", "match"},
		{"two ways to say when a cookie ends", "Set-Cookie: a=1; Max-Age=60", "Set-Cookie: a=1; Expires=Thu, 01 Jan 2026 00:01:00 GMT", "match"},
		{"another session", "Set-Cookie: a=1f2e3d4c5b6a79880", "Set-Cookie: a=0f2e3d4c5b6a79881", "match\ncookie.a value hex→hex class"},
	} {
		a, b := page(200, "", c.a, "Date: Thu, 01 Jan 2026 00:00:00 GMT"), page(200, "", c.b, "Date: Thu, 01 Jan 2026 00:00:00 GMT")
		if got := say(Compare(a, b, rules, nil)); got != c.want {
			t.Errorf("%s:\n%s\nwant:\n%s", c.name, got, c.want)
		}
	}
	if got := say(Compare(page(200, ""), page(204, ""), rules, nil)); got != "match" {
		t.Errorf("statuses that a rule allows: %s", got)
	}
}

func TestHostsOfBothSidesAreTheSameInBodies(t *testing.T) {
	rules, err := CompileRules(Definition{Hosts: []string{"mono:3000", "shop.example"}}, defaultTime)
	if err != nil {
		t.Fatal(err)
	}
	a, b := jsonPage(`{"self":"http://mono:3000/a","t":"see http://mono:3000/x."}`), jsonPage(`{"self":"https://shop.example/a","t":"see https://shop.example/x."}`)
	if got := say(Compare(a, b, rules, nil)); got != "match" {
		t.Error(got)
	}
	if got := Compare(jsonPage(`{"s":"http://mono:3000/a"}`), jsonPage(`{"s":"http://mono:3000.evil/a"}`), rules, nil); got.Outcome != Mismatch {
		t.Error("a host that only begins like ours was taken for ours")
	}
}

func TestExamplesHoldNoValueThatIsNotKept(t *testing.T) {
	rules, err := CompileRules(Definition{MaskKey: []byte("key"), Rules: []Rule{{Do: Keep, Path: "$.status"}}}, defaultTime)
	if err != nil {
		t.Fatal(err)
	}
	r := Compare(jsonPage(`{"status":"paid","card":"4111111111111111"}`), jsonPage(`{"status":"open","card":"4111111111111112"}`), rules, nil)
	status, card := r.Find("$.status", KindValue), r.Find("$.card", KindValue)
	if status == nil || status.Control.Text != "paid" || status.Candidate.Text != "open" {
		t.Errorf("kept: %+v", status)
	}
	if card == nil || card.Control.Text != "" || card.Control.Mark == 0 || card.Control.Mark == card.Candidate.Mark || card.Control.Mark != rules.Mark("4111111111111111") {
		t.Errorf("masked: %+v", card)
	}
}
