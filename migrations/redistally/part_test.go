package redistally

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// What is taken apart is put together again, and who came of late does not
// travel with every change.
func TestPartsMakeTheWhole(t *testing.T) {
	c := evidence.Counts{Cells: map[string]*evidence.Cell{"": evidence.NewCell(7, 50_000)}}
	c.Cells[""].Count(evidence.Errors, 12, 7, evidence.Modern)
	c.Week.Add(time.Unix(1_772_366_400, 0), 14)
	const endpoint = "GET /a@b/{id}\x1f@"
	e := c.Cells[""].At(endpoint)
	e.Requests[evidence.Modern][3] = 9
	e.Answer(true, evidence.Vote{Key: 1, Epoch: 7, Side: evidence.Modern, Network: 5})
	e.Answer(false, evidence.Vote{Key: 2, Epoch: 7, Side: evidence.Legacy, Network: 5})
	c.Cells[""].VoteAt(e, evidence.Errors, evidence.Vote{Key: 2, Epoch: 7, Side: evidence.Legacy, Network: 5})
	var p parcel
	marks := map[string]mark{}
	for _, piece := range split("orders", c) {
		text, err := piece.text()
		if err == nil {
			err = p.take(piece.name, text)
		}
		if err != nil {
			t.Fatal(err)
		}
		marks[piece.name] = piece.mark
	}
	got := p.join("orders")
	if diff := cmp.Diff(c.Week, got.Week); diff != "" {
		t.Error(diff)
	}
	if got.Cells[""].Bad[evidence.Errors].Len() != 1 {
		t.Errorf("%+v", got.Cells[""])
	}
	at := got.Cells[""].Endpoints[endpoint]
	if at == nil || at.Requests != e.Requests || at.Bad[evidence.Errors].Len() != 1 {
		t.Fatalf("%+v", at)
	}
	if good, bad := at.Answers(false); good != (evidence.Sides{0, 1}) || bad != (evidence.Sides{1, 0}) {
		t.Errorf("answers %v and %v", good, bad)
	}
	if n := len(p.join("orders").Cells[""].Endpoints[endpoint].Bad); n != 3 { // joining changes nothing of the parcel
		t.Errorf("%d sets", n)
	}
	c.Week.Add(time.Unix(1_772_366_400, 0), 14) // the same person once more
	c.Burn[evidence.Legacy].Add(time.Unix(1_772_366_400, 0), 1, 0)
	for _, piece := range split("orders", c) {
		if piece.name == weekOf("orders") && piece.mark != marks[piece.name] {
			t.Error("a week in which nobody new came is sent again")
		}
	}
	p.drop(weekOf("orders"))
	if got := p.join("orders"); len(got.Week.Hours) != 0 {
		t.Errorf("%+v", got.Week)
	}
}
