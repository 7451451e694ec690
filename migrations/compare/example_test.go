package compare_test

import (
	"fmt"
	"net/http"
	"time"

	"github.com/ficus-gateway/ficus/migrations/compare"
)

func Example() {
	rules, err := compare.CompileRules(compare.Definition{Rules: []compare.Rule{
		{Do: compare.Ignore, Path: "$.generatedAt"},
		{Do: compare.Unordered, Path: "$.tags"},
		{Do: compare.Tolerance, Path: "$.items[*].price", With: "1%"},
		{Do: compare.Keep, Path: "$.status"},
	}}, time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	answer := func(body string) *compare.Answer {
		return &compare.Answer{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
	}
	result := compare.Compare(
		answer(`{"id": 9007199254740993, "status": "paid", "tags": ["a", "b"], "items": [{"price": 10.00}], "generatedAt": 1}`),
		answer(`{"id": 9007199254740992, "status": "open", "tags": ["b", "a"], "items": [{"price": 10.05}]}`), rules, nil)
	fmt.Println(result.Outcome)
	for _, d := range result.Differences {
		fmt.Println(&d)
	}
	// Output:
	// mismatch
	// $.id: value: integer (number, 16 bytes) → integer (number, 16 bytes)
	// $.status: value: paid → open
}

func ExampleNoise() {
	noise := compare.NewNoise(compare.NoiseOptions{})
	answer := func(id string) *compare.Answer {
		return &compare.Answer{Status: 200, Body: []byte(`{"id": "` + id + `"}`)}
	}
	const endpoint = "GET /orders/{id}"
	for i := range 100 {
		// The control draws another uuid each time; the candidate none.
		first, second := answer(fmt.Sprintf("00000000-0000-4000-8000-%012d", i)), answer(fmt.Sprintf("00000000-0000-4000-8000-%012d", 1000+i))
		profile := noise.Profile(endpoint)
		candidate := compare.Compare(first, answer(""), nil, profile)
		control := compare.Probe(first, second, nil, profile)
		for _, d := range noise.Learn(endpoint, &candidate, &control) {
			fmt.Printf("after %d: %s is worse in %d pairs, better in %d\n", i+1, d.Path, d.Worse, d.Better)
		}
	}
	level, _ := noise.Profile(endpoint).Level("$.id")
	fmt.Println("held to:", level)
	// Output:
	// after 13: $.id is worse in 13 pairs, better in 0
	// held to: class
}
