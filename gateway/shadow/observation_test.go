package shadow

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// What was one user's must not turn up with another.
func TestAnObservationThatIsUsedAgainKnowsNothingOfTheOneBefore(t *testing.T) {
	w := &Watch{shadow: New(Options{})}
	defer w.shadow.Close()
	field := func(value string) http.Header { return http.Header{"Cookie": {"session=" + value, "more=" + value}} }
	o := &Observation{watch: w, input: Input{Key: "ada", Header: field("ada")}}
	o.Asked(Question{Target: "/ada", Header: field("ada"), Body: []byte("ada")}, time.Now())
	o.Answered(http.StatusOK, field("ada"), 3, time.Now())
	o.Write([]byte("ada"))
	o.candidate.Body.Init(w.shadow.budget, 3)
	if !o.reserveHeaders() || w.shadow.budget.Used() == 0 {
		t.Fatal("nothing is reserved")
	}
	asked, values := o.asked.fields, o.asked.values
	o.free()
	if used := w.shadow.budget.Used(); used != 0 {
		t.Errorf("%d bytes are not given back", used)
	}
	if len(asked) > 0 || values[0] != "" || values[1] != "" {
		t.Errorf("the header still holds %v, %q", asked, values)
	}
	if o.asked.fields = nil; cap(o.asked.values) == 0 || o.head.values == nil {
		t.Error("the headers are not kept for the next")
	}
	o.asked, o.head = header{}, header{}
	if !reflect.DeepEqual(o, new(Observation)) {
		t.Errorf("%+v", o)
	}
}

func TestAHeaderIsCopiedValueByValue(t *testing.T) {
	var h header
	for range 2 { // the second time into what is there
		from := http.Header{"Set-Cookie": {"a=1", "b=2"}, "Etag": {`"1"`}, "Empty": nil}
		to := h.copy(from)
		if len(to) != 3 || !reflect.DeepEqual(to["Set-Cookie"], from["Set-Cookie"]) || !reflect.DeepEqual(to["Etag"], from["Etag"]) || len(to["Empty"]) != 0 {
			t.Errorf("%v", to)
		}
		from["Set-Cookie"][1] = "c=3" // as the gateway edits it for the user
		if to["Set-Cookie"][1] != "b=2" {
			t.Errorf("the copy follows: %v", to)
		}
		_ = append(to["Etag"], "more")
		if !reflect.DeepEqual(to["Set-Cookie"], []string{"a=1", "b=2"}) {
			t.Errorf("one field writes into the other: %v", to)
		}
		h.forget()
	}
	for range tooManyFields + 1 {
		h.values = append(h.values, "x")
	}
	if h.forget(); h.values != nil {
		t.Error("a huge header is kept")
	}
}

// An upstream may still look at a question that was given up.
func TestTheHeaderOfAQuestionThatFailedIsNotUsedAgain(t *testing.T) {
	w := &Watch{shadow: New(Options{})}
	defer w.shadow.Close()
	w.set.Store(&setting{plan: &migrations.Plan{ID: "orders"}})
	o := &Observation{watch: w}
	o.Asked(Question{Header: http.Header{"Accept": {"*/*"}}}, time.Now())
	header := o.question.Header
	failing := func(context.Context, *Question) (*Reply, error) { return nil, errors.New("cut off") }
	if err := o.ask(failing, &o.candidate); err == nil {
		t.Fatal("it does not fail")
	}
	o.free()
	if o.asked.fields != nil || header["Accept"][0] != "*/*" {
		t.Errorf("%v is used again", header)
	}
}
