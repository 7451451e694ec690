package legacy_test

import (
	"fmt"
	"net/http"

	"github.com/ficus-gateway/ficus/legacy"
)

func ExampleView_Response() {
	v := legacy.View{
		ClientScheme: "https", ClientHost: "shop.example.com",
		UpstreamScheme: "http", UpstreamHost: "10.0.0.5:3001",
		Strip: "/shop", Add: "/v2",
	}
	h := http.Header{}
	h.Set("Location", "http://10.0.0.5:3001/v2/login?a=b")
	h.Set("Set-Cookie", "sid=1; Domain=10.0.0.5; Path=/v2; HttpOnly")
	v.Response(h)
	fmt.Println(h.Get("Location"))
	fmt.Println(h.Get("Set-Cookie"))
	// Output:
	// https://shop.example.com/shop/login?a=b
	// sid=1; Domain=shop.example.com; Path=/shop; HttpOnly
}
