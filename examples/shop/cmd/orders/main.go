// Orders runs the extracted orders service:
//
//	go run ./examples/shop/cmd/orders -listen 127.0.0.1:3001 -data shop.json
//
// Bugs are planted while it runs, on an address of their own:
//
//	curl -X PUT 127.0.0.1:3009 -d '{"errors": 0.1, "wrong_price": 0.5}'
package main

import (
	"flag"
	"log"
	"net/http"

	"github.com/ficus-gateway/ficus/examples/shop"
	"github.com/ficus-gateway/ficus/examples/shop/orders"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:3001", "address to listen on")
	control := flag.String("control", "127.0.0.1:3009", "address to plant bugs at; empty: none")
	var options shop.Options
	flag.StringVar(&options.File, "data", "", "JSON file of the monolith; without it, the orders are those of the seed")
	flag.Uint64Var(&options.Seed, "seed", 1, "as the monolith's")
	flag.IntVar(&options.Customers, "customers", 100, "as the monolith's")
	flag.Parse()

	store, err := shop.Open(options)
	if err != nil {
		log.Fatal(err)
	}
	service := orders.New(store)
	if *control != "" {
		go func() { log.Fatal(http.ListenAndServe(*control, service.Control())) }()
		log.Printf("plant bugs at %s", *control)
	}
	log.Printf("orders on %s", *listen)
	log.Fatal(http.ListenAndServe(*listen, service))
}
