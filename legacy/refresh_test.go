package legacy

import "testing"

func TestRefreshTranslation(t *testing.T) {
	tests := []struct{ in, want string }{
		{"5; url=/v2/x", "5; url=/shop/x"},
		{"5;url=http://app.internal/v2/x?a=1;b#c", "5;url=https://shop.example.com/shop/x?a=1;b#c"},
		{"0;URL='/v2/x'", "0;URL='/shop/x'"},
		{`0; Url = "/v2/x" trailing`, `0; Url = "/shop/x" trailing`},
		{`0; url="/v2/x`, `0; url="/shop/x`},
		{"0, url=/v2/x", "0, url=/shop/x"},
		{"0 url=/v2/x", "0 url=/shop/x"},
		{"  1.5 ;  /v2/x  ", "  1.5 ;  /shop/x  "},
		{"1; '/v2/it'", "1; '/shop/it'"},
		{".5;url=/v2/x", ".5;url=/shop/x"},
		{"5; url=/v2/a'b", "5; url=/shop/a'b"},
		{"5; url=//app.internal/v2/x", "5; url=//shop.example.com/shop/x"},
		{"5; url=https://pay.example.net/", ""},
		{"5; url=/admin", ""},
		{"5; url=next", ""},
		{"5; urls=/v2/x", ""},
		{"5; url", ""},
		{"5; url=", ""},
		{"5; url=''", ""},
		{"5;", ""},
		{"5", ""},
		{"", ""},
		{"soon; url=/v2/x", ""},
		{"5url=/v2/x", ""},
		{"; url=/v2/x", ""},
	}
	for _, tt := range tests {
		want := tt.want
		if want == "" {
			want = tt.in
		}
		got, changed := prefixed.Refresh(tt.in)
		if got != want {
			t.Errorf("Refresh(%q) = %q, want %q", tt.in, got, want)
		}
		if changed != (got != tt.in) {
			t.Errorf("Refresh(%q) reports %v", tt.in, changed)
		}
	}
}
