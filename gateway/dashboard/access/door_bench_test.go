package access

import (
	"fmt"
	"testing"
)

// With as many tokens as a gateway takes, all of which are looked at.
func BenchmarkBearerAmongAThousand(b *testing.B) {
	d, err := Open(Options{})
	if err != nil {
		b.Fatal(err)
	}
	var last Token
	for i := range maxCredentials {
		if last, _, err = d.Issue(b.Context(), Order{Name: fmt.Sprint("n", i), Role: Viewer}); err != nil {
			b.Fatal(err)
		}
	}
	presented := last.Reveal()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := d.Bearer(presented); !ok {
			b.Fatal("not let in")
		}
	}
}

func BenchmarkSession(b *testing.B) {
	shared := NewToken()
	d, err := Open(Options{Shared: shared})
	if err != nil {
		b.Fatal(err)
	}
	id, _, err := d.SignIn(Attempt{Token: shared.Reveal()})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := d.Session(id, true); !ok {
			b.Fatal("not let in")
		}
	}
}
