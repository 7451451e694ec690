package compare

import "testing"

func TestAFaultThatIsFixedAndComesBackIsProvedAgain(t *testing.T) {
	broken := true
	s := newWorld(9, orderPage, func(s *shot) {
		if broken {
			s.order()["status"] = "PAID"
		}
	}).shadow(nil)
	until := func(what string, done func() bool) {
		t.Helper()
		for range 500 {
			if s.observe(); done() {
				return
			}
		}
		t.Fatalf("never %s", what)
	}
	shown := func() bool { return s.shows("$.order.status", KindValue) }
	until("shown", shown)
	broken = false
	finding := s.study.Findings.Real(s.now)[0]
	if err := s.study.Fix(finding.ID, "deployed", s.now); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		if s.observe(); shown() {
			t.Fatal("shown, though it is fixed")
		}
	}
	broken = true
	until("shown again", shown)
	if finding.State != Open || finding.RegressedAt.IsZero() {
		t.Errorf("it is %s, regressed at %s", finding.State, finding.RegressedAt)
	}
}

func TestAnEndpointThatIsTakenInKeepsItsFindings(t *testing.T) {
	s := NewStudy(NoiseOptions{}, FindingsOptions{})
	word := func(i int) string { return "/shops/" + string([]byte{'a' + byte(i%26), 'a' + byte(i/26)}) + "shop/" }
	total := 0
	for i := range 60 {
		o := seen(noon, `{"a":1}`, `{}`)
		o.Endpoint = s.Endpoint("GET", word(i))
		s.Add(o)
		total++
	}
	counted := 0
	for _, f := range s.Findings.All(noon) {
		counted += f.Count
	}
	if n := len(s.Findings.All(noon)); n != 1 || counted != total {
		t.Errorf("%d findings of %d observations, not 1 of %d", n, counted, total)
	}
}

func TestOnlyAMismatchWithCreditLeftIsRechecked(t *testing.T) {
	s := NewStudy(NoiseOptions{}, FindingsOptions{})
	o := seen(noon, `{"a":1}`, `{}`)
	o.Drift = &Drift{}
	asked := 0
	for range 1000 {
		if s.WantsRecheck(&o.Result) {
			asked++
			s.Add(o)
			continue
		}
		plain := *o
		plain.Drift = nil
		s.Add(&plain)
	}
	if asked < 100 || asked > 160 {
		t.Errorf("asked again in %d of 1,000", asked)
	}
	if same := Compare(jsonPage(`1`), jsonPage(`1`), nil, nil); s.WantsRecheck(&same) {
		t.Error("asked again for a match")
	}
}
