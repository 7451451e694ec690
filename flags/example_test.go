package flags_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/migrations"
)

func Example() {
	a, err := flags.New(flags.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer a.Close()

	plan := &migrations.Plan{ID: "orders", Flag: "orders", Key: []migrations.KeySource{{Kind: migrations.KeyCookie, Name: "uid"}}}
	split, err := migrations.NewSplit(migrations.Share{Stage: migrations.Live, Buckets: 50_000}, migrations.Share{Stage: migrations.Shadow, Buckets: 50_000})
	if err != nil {
		fmt.Println(err)
		return
	}
	state := &migrations.Migration{ID: "orders", Split: split}

	for _, uid := range []string{"4711", "4712", ""} {
		r := httptest.NewRequest("GET", "/api/orders/7", nil)
		r.AddCookie(&http.Cookie{Name: "uid", Value: uid})
		asg := a.Assign(r.Context(), &flags.Input{Plan: plan, State: state, Request: r, Safe: true})
		fmt.Println(asg.Stage, asg.Reason, asg.Bucket, plan.Place(asg.Stage, true))
	}
	// Output:
	// shadow SPLIT 60038 legacy
	// live SPLIT 17670 modern
	// shadow DEFAULT -1 legacy
}

// The built-in provider answers anybody who has the client.
func ExampleAssigner_Client() {
	a, err := flags.New(flags.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer a.Close()

	plans := map[string]*migrations.Plan{"orders": {ID: "orders", Flag: "orders"}}
	a.Publish(migrations.State{Migrations: map[string]migrations.Migration{
		"orders": {ID: "orders", Split: migrations.All(migrations.Shadow)},
	}}, plans)

	d, err := a.Client().StringValueDetails(context.Background(), "orders", "off", openfeature.NewEvaluationContext("4711", nil))
	fmt.Println(d.Value, d.Reason, err)
	// Output: shadow STATIC <nil>
}
