package evidence_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// Two gateways see a service fail for three people of the 5 % that it serves.
func Example() {
	here, there := evidence.NewCell(7, 5000), evidence.NewCell(7, 5000)
	here.Count(evidence.Errors, evidence.KeyOf("alice"), 7, evidence.Modern)
	here.Count(evidence.Errors, evidence.KeyOf("alice"), 7, evidence.Modern) // again: counts once
	here.Count(evidence.Errors, evidence.KeyOf("bob"), 7, evidence.Modern)
	there.Count(evidence.Errors, evidence.KeyOf("bob"), 7, evidence.Modern) // on the other gateway: counts once
	there.Count(evidence.Errors, evidence.KeyOf("carol"), 7, evidence.Modern)

	all := evidence.Merge(
		evidence.Counts{Cells: map[string]*evidence.Cell{"": here}},
		evidence.Counts{Cells: map[string]*evidence.Cell{"": there}},
	)
	guards := []evidence.Guard{{Metric: evidence.Errors}}
	record, _ := evidence.Strongest(all.Cells[""].Judge("", guards, evidence.Budget{Alpha: 0.001, Test: 1}, false))
	fmt.Println(record)

	stored, _ := json.Marshal(record)
	var read evidence.Record
	if err := json.Unmarshal(stored, &read); err != nil {
		fmt.Println(err)
	}
	fmt.Println(read.Recompute() == record.E, read.Check())
	// Output:
	// errors: 3 of 3 on the service at w = 0.05; E = 2493, threshold 1645: trips
	// true <nil>
}

// What a step of 5 % for an hour can see, with 4,000 people an hour.
func ExampleOutlook() {
	o := evidence.Outlook{
		Traffic: evidence.Traffic{Hourly: 4000, PerKey: 5, Bad: 0.002},
		Share:   5000,
		Budget:  evidence.Budget{Alpha: 0.001, Test: 3, Metrics: 4},
	}
	rate, sees := o.Smallest(time.Hour)
	fmt.Printf("errors from 0.2 %% to %.1f %%: %v\n", 100*rate, sees)
	within, _ := o.Until(1)
	fmt.Println("an outage:", within.Round(time.Minute))
	// Output:
	// errors from 0.2 % to 2.0 %: true
	// an outage: 3m0s
}

func ExampleCleanSample() {
	for _, worst := range []float64{0.05, 0.01, 0.0005} {
		fmt.Println(evidence.CleanSample(worst, evidence.Confidence))
	}
	// Output:
	// 59
	// 299
	// 5990
}
