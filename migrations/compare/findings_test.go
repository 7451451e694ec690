package compare

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func seen(at time.Time, a, b string) *Observation {
	return &Observation{Endpoint: "GET /orders", Time: at, Result: Compare(jsonPage(a), jsonPage(b), nil, nil), Key: 7, Size: int64(len(a) + len(b))}
}

func observed(t *testing.T, f *Findings, o *Observation) *Finding {
	t.Helper()
	g, _ := f.Observe(o)
	if g == nil {
		t.Fatal("no finding")
	}
	return g
}

func TestAFindingThatComesBackSaysSo(t *testing.T) {
	f := NewFindings(FindingsOptions{})
	g := observed(t, f, seen(noon, `{"a":1}`, `{}`))
	if g.State != Open || !g.Unlearned {
		t.Fatalf("on a route that can't be asked twice it is %s", g.State)
	}
	if err := f.Fix(g.ID, "deployed", noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if len(f.Real(noon)) != 0 {
		t.Error("a fixed finding is shown")
	}
	observed(t, f, seen(noon.Add(2*time.Hour), `{"a":1}`, `{}`))
	if g.State != Open || !g.RegressedAt.Equal(noon.Add(2*time.Hour)) || g.Count != 2 {
		t.Errorf("%+v", g)
	}
}

func TestAMutedFindingIsShownWhenTheMuteEnds(t *testing.T) {
	f := NewFindings(FindingsOptions{})
	g := observed(t, f, seen(noon, `{"a":1}`, `{}`))
	if err := f.Mute(g.ID, "", noon, noon); err == nil {
		t.Error("muted until now")
	}
	if err := f.Mute(g.ID, "known", noon, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if len(f.Real(noon)) != 0 || len(f.Real(noon.Add(time.Hour))) != 1 {
		t.Error("not hidden, or hidden for ever")
	}
	if err := f.Acknowledge("nobody", ""); err == nil {
		t.Error("acknowledged a finding that there is not")
	}
}

func TestASuspicionIsNotShownUntilItIsProved(t *testing.T) {
	f := NewFindings(FindingsOptions{})
	o := seen(noon, `{"a":1}`, `{}`)
	o.Repeatable = true
	observed(t, f, o)
	if len(f.Real(noon)) != 0 {
		t.Error("shown without proof")
	}
	f.Confirm(Discovery{Endpoint: o.Endpoint, Path: "$.a"})
	if len(f.Real(noon)) != 1 {
		t.Error("not shown with proof")
	}
}

func TestErasingAKeyLeavesNoExampleOfIt(t *testing.T) {
	f := NewFindings(FindingsOptions{})
	for i := range 20 {
		o := seen(noon.Add(time.Duration(i)), `{"a":1}`, `{}`)
		o.Key = Mark(i % 2)
		observed(t, f, o)
	}
	if f.EraseKey(1) == 0 {
		t.Fatal("nothing erased")
	}
	for _, g := range f.All(noon) {
		left := g.drop(func(e *Example) bool { return e.Key == 1 })
		if left > 0 || g.Count != 20 {
			t.Errorf("%d examples left of %d", left, g.Count)
		}
	}
}

func TestWhatIsOldIsForgotten(t *testing.T) {
	f := NewFindings(FindingsOptions{})
	a := observed(t, f, seen(noon, `{"a":1}`, `{}`))
	day := 24 * time.Hour
	for range 50 {
		f.Observe(seen(noon.Add(day), `{"a":1}`, `{"a":1}`))
	}
	if fixed := f.Sweep(noon.Add(2*day), 7*day); len(fixed) != 0 {
		t.Error("taken for fixed, though it is rare")
	}
	for range 200 {
		observed(t, f, seen(noon.Add(day), `{"b":1}`, `{}`))
	}
	for range 50 {
		f.Observe(seen(noon.Add(3*day), `{"b":1}`, `{"b":1}`))
	}
	if fixed := f.Sweep(noon.Add(3*day), 7*day); len(fixed) != 1 || fixed[0].Signs[0].Path != "$.b" {
		t.Errorf("fixed: %v", fixed)
	}
	f.Sweep(noon.Add(30*day), 7*day)
	if len(f.All(noon)) != 0 || a.Begin != nil {
		t.Error("kept beyond the retention")
	}
}

func TestSuggestedRulesSayWhatTheyResolve(t *testing.T) {
	f := NewFindings(FindingsOptions{})
	var id string
	for range 412 {
		id = observed(t, f, seen(noon, `{"items":[1,2]}`, `{"items":[2,1]}`)).ID
	}
	for range 19 {
		observed(t, f, seen(noon, `{"items":[1,2],"b":1}`, `{"items":[2,1]}`))
	}
	list, err := f.Suggest(id)
	if err != nil || len(list) != 1 || list[0].String() != "unordered: $.items resolves 412 of 431" {
		t.Errorf("%v, %v", list, err)
	}
	// A rule that is suggested has to compile, and to do what it says.
	near := observed(t, f, seen(noon, `{"p":100}`, `{"p":101.5}`))
	list, err = f.Suggest(near.ID)
	if err != nil || len(list) != 1 || list[0].Rule.String() != "tolerance: $.p = 2%" {
		t.Fatalf("%v, %v", list, err)
	}
	if got := say(Compare(jsonPage(`{"p":100}`), jsonPage(`{"p":101.5}`), rulesOf(t, list[0].Rule), nil)); got != "match" {
		t.Error(got)
	}
}

func TestFindingsAreBounded(t *testing.T) {
	f := NewFindings(FindingsOptions{Most: 10})
	spilled := 0
	for i := range 100 {
		for range 1 + i%3 {
			if _, gone := f.Observe(seen(noon, fmt.Sprintf(`{"k%c%c":1}`, 'a'+i%26, 'a'+i/26), `{}`)); gone != nil {
				spilled++
			}
		}
	}
	if n := len(f.All(noon)); n != 10 || spilled != f.Lost() || spilled != 90 {
		t.Errorf("%d kept, %d spilled, %d lost", n, spilled, f.Lost())
	}
}

func TestRankIsSeverityByBreadthByNovelty(t *testing.T) {
	f := NewFindings(FindingsOptions{})
	for range 9 {
		observed(t, f, seen(noon, `{"a":[1,2]}`, `{"a":[2,1]}`))
	}
	observed(t, f, seen(noon, `{"a":1}`, `<html>`))
	list := f.All(noon)
	if list[0].Severity() != Critical || list[1].Severity() != Low {
		t.Errorf("%s before %s", list[0].Severity(), list[1].Severity())
	}
	if g := list[0]; g.Rank(noon.Add(48*time.Hour)) >= g.Rank(noon) {
		t.Error("an old finding ranks like a new one")
	}
}

func TestFindingsComeBackAsTheyWere(t *testing.T) {
	f := NewFindings(FindingsOptions{Seed: 3})
	for i := range 30 {
		observed(t, f, seen(noon.Add(time.Duration(i)*time.Second), `{"a":1,"u":"x"}`, fmt.Sprintf(`{"a":%d}`, i+2)))
	}
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var back Findings
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(&back)
	if err != nil || string(again) != string(b) {
		t.Errorf("%v\n%s\n%s", err, b, again)
	}
	g := observed(t, &back, seen(noon.Add(time.Hour), `{"a":1,"u":"x"}`, `{"a":2}`))
	if g.Count != 31 {
		t.Errorf("goes on with %d", g.Count)
	}
}

func TestNoSecretInAnyExample(t *testing.T) {
	secrets := []string{
		"4111111111111111", "hunter2hunter2", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", "ada@example.com", "DE89370400440532013000",
		"AKIAIOSFODNN7EXAMPLE", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "-----BEGIN PRIVATE KEY-----", "078-05-1120", "+49 30 1234567", "123456",
		"sk_live_4eC39HqLyjWDarjtT1zdp7dc", "Basic YWRhOmh1bnRlcjI=", "10.1.2.3", "9f8e7d6c-1111-2222-3333-444455556666", "Ada Lovelace", "Main Street 1",
		"1815-12-10", "52.5200,13.4050", "correct horse battery staple",
	}
	rules, err := CompileRules(Definition{MaskKey: []byte("key")}, defaultTime)
	if err != nil {
		t.Fatal(err)
	}
	s := NewStudy(NoiseOptions{}, FindingsOptions{})
	for _, secret := range secrets {
		q, _ := json.Marshal(secret)
		inPath := secret
		if secret == "hunter2hunter2" || strings.HasPrefix(secret, "-----") {
			inPath = "me" // what a path holds like a word is taken for one
		}
		a := page(200, fmt.Sprintf(`{"v":%s,"in":"x %s","gone":%s,"list":[%s]}`, q, strings.Trim(string(q), `"`), q, q), "Content-Type: application/json", "Set-Cookie: sid="+strings.ReplaceAll(secret, " ", ""), "X-User: "+secret)
		for _, body := range []string{`{"v":"other","in":"y","list":["z"]}`, "<html><p>" + secret, secret} {
			b := page(200, body, "Content-Type: application/json", "Set-Cookie: sid=o")
			s.Add(&Observation{Endpoint: s.Endpoint("GET", "/u/"+inPath), Time: noon, Result: Compare(a, b, rules, nil), Key: rules.Mark(secret)})
		}
	}
	written, err := json.Marshal(s.Findings)
	if err != nil {
		t.Fatal(err)
	}
	noise, err := json.Marshal(s.Noise)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range secrets {
		q, _ := json.Marshal(secret)
		body := strings.Trim(string(q), `"`)
		found := strings.Contains(string(written), body) || strings.Contains(string(noise), body)
		for _, g := range s.Findings.All(noon) {
			g.examples(func(e **Example) { found = found || *e != nil && strings.Contains(fmt.Sprintf("%+v", **e), secret) })
		}
		if found {
			t.Errorf("%q was written", secret)
		}
	}
}
