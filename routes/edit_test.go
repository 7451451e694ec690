package routes

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHeaderEditRemovesThenSetsThenAdds(t *testing.T) {
	h := http.Header{"A": {"1", "2"}, "B": {"1", "2"}, "C": {"1"}, "D": {"1"}}
	e := &HeaderEdit{
		Remove: []string{"a", "c", "absent"},
		Set:    []Field{{"b", "{host}"}, {"c", "2"}, {"E", ""}},
		Add:    []Field{{"c", "3"}, {"d", "2"}},
	}
	e.Apply(h)
	want := http.Header{"B": {"{host}"}, "C": {"2", "3"}, "D": {"1", "2"}, "E": {""}}
	if d := cmp.Diff(want, h); d != "" {
		t.Error(d)
	}
	(*HeaderEdit)(nil).Apply(h)
	if d := cmp.Diff(want, h); d != "" {
		t.Error("the nil edit:", d)
	}
}
