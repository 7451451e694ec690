package flagd_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"

	"github.com/ficus-gateway/ficus/flags/flagd"
)

const definition = `{
  "flags": {
    "orders": {
      "state": "ENABLED",
      "variants": {"off": "off", "shadow": "shadow", "live": "live"},
      "defaultVariant": "off",
      "targeting": {"fractional": [["live", 25], ["shadow", 75]]}
    }
  }
}`

func Example() {
	dir, err := os.MkdirTemp("", "flags")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "flags.json")
	if err := os.WriteFile(path, []byte(definition), 0o644); err != nil {
		fmt.Println(err)
		return
	}

	ctx := context.Background()
	p, err := flagd.Open(ctx, "file:"+path, flagd.Options{Report: func(r flagd.Report) { fmt.Println(r.Trigger, r.OK, r.Changed) }})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()

	api := isolated.NewAPI()
	if err := api.SetProviderAndWait(ctx, p); err != nil {
		fmt.Println(err)
		return
	}
	client := api.NewClient()
	for _, key := range []string{"4711", "4712", "4713"} {
		d, err := client.StringValueDetails(ctx, "orders", "off", openfeature.NewEvaluationContext(key, nil))
		fmt.Println(key, d.Value, d.Reason, err)
	}
	split, known := p.Split("orders")
	fmt.Println(split, known)
	// Output:
	// start true [orders]
	// 4711 shadow TARGETING_MATCH <nil>
	// 4712 live TARGETING_MATCH <nil>
	// 4713 shadow TARGETING_MATCH <nil>
	// live=25% shadow=75% true
}

// What is wrong with a definition has a place and a remedy.
func ExampleParse() {
	_, err := flagd.Parse("flags.json", []byte(`{
  "flags": {
    "orders": {"state": "ENABLED", "variants": {"on": "live"}, "defaultVariant": "of"}
  }
}`))
	fmt.Println(err)

	d, err := flagd.Parse("flags.json", []byte(`{
  "flags": {
    "orders": {"state": "ENABLED", "variants": {"on": "live"}, "targeting": {"sem_ver": [{"var": "app"}, "=>", "2"]}}
  }
}`))
	fmt.Println(d.Warnings(), err)
	// Output:
	// flags.json:3:82: /flags/orders/defaultVariant: there is no variant "of"; name one of "on"
	// flags.json:3:106: /flags/orders/targeting/sem_ver/1: is no operator of sem_ver, so the result is always null; write = != < <= > >= ^ or ~ <nil>
}
