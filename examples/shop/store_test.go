package shop

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func open(t *testing.T, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func status(err error) int {
	if err == nil {
		return 0
	}
	return AsError(err).Status
}

func TestEqualSeedsGiveEqualShops(t *testing.T) {
	marshal := func(seed uint64) string {
		text, err := json.Marshal(open(t, Options{Seed: seed, Customers: 20}).data)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if diff := cmp.Diff(marshal(7), marshal(7)); diff != "" {
		t.Error(diff)
	}
	if marshal(7) == marshal(8) {
		t.Error("another seed gave the same shop")
	}
}

func TestLoginKeepsTheCartAndEndsTheOldSession(t *testing.T) {
	s := open(t, Options{Customers: 3})
	old, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	sku := s.Products("garden")[0].SKU
	if err := s.AddToCart(old.Token, Line{sku, 2}); err != nil {
		t.Fatal(err)
	}
	old, _ = s.Session(old.Token)
	if _, err := s.Login(old, Email(2), "wrong"); status(err) != 401 {
		t.Errorf("wrong password: %v", err)
	}
	if _, err := s.Login(old, "nobody@shop.example", Password); status(err) != 401 {
		t.Errorf("wrong address: %v", err)
	}
	session, err := s.Login(old, Email(2), Password)
	if err != nil {
		t.Fatal(err)
	}
	if session.User != "u2" || len(session.Cart) != 1 || session.Token == old.Token {
		t.Errorf("session %+v", session)
	}
	if _, ok := s.Session(old.Token); ok {
		t.Error("the old session lives on")
	}
}

func TestSessionsEnd(t *testing.T) {
	now := founded
	s := open(t, Options{Customers: 1, Now: func() time.Time { return now }})
	session, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(SessionLife)
	if _, ok := s.Session(session.Token); ok {
		t.Error("the session has not ended")
	}
}

func TestOrdersOfOthersAreNotFound(t *testing.T) {
	s := open(t, Options{Customers: 1})
	o, err := s.Place("guest:a", Draft{Items: []Line{{s.Products("")[0].SKU, 3}}}, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Order("guest:a", o.ID); err != nil {
		t.Error(err)
	}
	for _, other := range []Owner{"guest:b", "user:u1", ""} {
		if _, err := s.Order(other, o.ID); status(err) != 404 {
			t.Errorf("%q: %v", other, err)
		}
	}
	for _, id := range []string{"", "x", "-1", "0", "+" + o.ID, "0" + o.ID, "99999999999999999999"} {
		if _, err := s.Order("guest:a", id); status(err) != 404 {
			t.Errorf("id %q: %v", id, err)
		}
	}
}

func TestSameKeyBuysOnce(t *testing.T) {
	s := open(t, Options{Customers: 1})
	draft := Draft{Items: []Line{{s.Products("")[0].SKU, 1}}}
	a, err1 := s.Place("guest:a", draft, "k")
	b, err2 := s.Place("guest:a", draft, "k")
	c, err3 := s.Place("guest:c", draft, "k")
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	if a.ID != b.ID || a.ID == c.ID {
		t.Errorf("orders %s, %s and, of another, %s", a.ID, b.ID, c.ID)
	}
}

func TestOrdersThatCannotBePlaced(t *testing.T) {
	s := open(t, Options{Customers: 1})
	sku := s.Products("")[0].SKU
	for _, lines := range [][]Line{nil, {{"none", 1}}, {{sku, 0}}, {{sku, -1}}, {{sku, 1001}}} {
		if _, err := s.Place("guest:a", Draft{Items: lines}, ""); status(err) != 422 {
			t.Errorf("%v: %v", lines, err)
		}
	}
	if _, total := s.Orders("guest:a", Filter{}); total != 0 {
		t.Errorf("%d orders", total)
	}
}

func TestChange(t *testing.T) {
	s := open(t, Options{Customers: 1})
	o, err := s.Place("guest:a", Draft{Items: []Line{{s.Products("")[0].SKU, 1}}}, "")
	if err != nil {
		t.Fatal(err)
	}
	note, cancelled, paid := "ring twice", Cancelled, Paid
	if o, err = s.Change("guest:a", o.ID, o.ETag(), Change{Note: &note}); err != nil || o.Version != 2 || o.Note != note {
		t.Fatalf("%+v, %v", o, err)
	}
	if _, err := s.Change("guest:a", o.ID, `"stale"`, Change{Note: &note}); status(err) != 412 {
		t.Errorf("stale tag: %v", err)
	}
	if _, err := s.Change("guest:a", o.ID, "*", Change{Status: &paid}); status(err) != 422 {
		t.Errorf("paid by the customer: %v", err)
	}
	if _, err := s.Change("guest:a", o.ID, "", Change{Status: &cancelled}); err != nil {
		t.Error(err)
	}
	if _, err := s.Change("guest:a", o.ID, "", Change{Status: &cancelled}); status(err) != 409 {
		t.Errorf("cancelled twice: %v", err)
	}
}

func TestPagesOfOrders(t *testing.T) {
	s := open(t, Options{Customers: 1}) // who has all four seeded orders
	var ids []string
	for page := 1; page <= 3; page++ {
		orders, total := s.Orders("user:u1", Filter{Page: page, Size: 2})
		if total != 4 {
			t.Fatalf("%d in total", total)
		}
		for _, o := range orders {
			ids = append(ids, o.ID)
		}
	}
	if diff := cmp.Diff([]string{"1004", "1003", "1002", "1001"}, ids); diff != "" {
		t.Error(diff)
	}
}

func TestStoresShareAFile(t *testing.T) {
	options := Options{Seed: 3, Customers: 2, File: filepath.Join(t.TempDir(), "shop.json")}
	a, b := open(t, options), open(t, options)
	line := Line{a.Products("")[0].SKU, 1}
	var all sync.WaitGroup
	for range 10 {
		for _, s := range []*Store{a, b} {
			all.Go(func() {
				if _, err := s.Place("guest:a", Draft{Items: []Line{line}}, ""); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	for _, s := range []*Store{a, b, open(t, options)} {
		if _, total := s.Orders("guest:a", Filter{}); total != 20 {
			t.Errorf("%d orders", total)
		}
	}
	session, err := a.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := b.Session(session.Token); !ok {
		t.Error("the session is not shared")
	}
}

func TestMoneyAsJSON(t *testing.T) {
	for _, m := range []Money{0, 5, 100, 1999, -250, 123456789} {
		text, err := json.Marshal(m)
		var back Money
		if err = errors.Join(err, json.Unmarshal(text, &back)); err != nil || back != m {
			t.Errorf("%d became %s and %d: %v", m, text, back, err)
		}
	}
	var m Money
	if json.Unmarshal([]byte("1.234"), &m) == nil || json.Unmarshal([]byte(`"x"`), &m) == nil {
		t.Error("took what is no amount")
	}
	if err := json.Unmarshal([]byte("7.5"), &m); err != nil || m != 750 {
		t.Errorf("7.5 became %d: %v", m, err)
	}
}
