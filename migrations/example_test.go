package migrations_test

import (
	"fmt"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

func ExampleSplit_With() {
	split := migrations.All(migrations.Shadow)
	for _, text := range []string{"live=5%", "live=20%", "off=10%", "live=0%"} {
		named, err := migrations.ParseShares(text)
		if err != nil {
			fmt.Println(err)
			return
		}
		if split, err = split.With(named...); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(split)
	}
	// Output:
	// live=5% shadow=95%
	// live=20% shadow=80%
	// live=20% shadow=70% off=10%
	// shadow=90% off=10%
}

func ExampleEncodeLine() {
	event := migrations.Event{
		Seq: 1, Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Migration: "orders", Kind: migrations.Created, From: "monolith", To: "orders", Actor: "ficus",
	}
	line, _, err := migrations.EncodeLine(migrations.Hash{}, event)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(line))
	// Output:
	// {"seq":1,"time":"2026-03-01T12:00:00Z","migration":"orders","kind":"created","from":"monolith","to":"orders","actor":"ficus","hash":"7094df36a82a1b8c3d55f70107e442610ad2ea8e62c1585c8b57ced0ede52216"}
}
