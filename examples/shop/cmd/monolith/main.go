// Monolith runs the shop as one application:
//
//	go run ./examples/shop/cmd/monolith -listen 127.0.0.1:3000 -data shop.json
package main

import (
	"flag"
	"log"
	"net/http"

	"github.com/ficus-gateway/ficus/examples/shop"
	"github.com/ficus-gateway/ficus/examples/shop/monolith"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:3000", "address to listen on")
	var options shop.Options
	flag.StringVar(&options.File, "data", "", "JSON file to keep the shop in; the orders service may share it")
	flag.Uint64Var(&options.Seed, "seed", 1, "of the catalogue, the customers and their past orders")
	flag.IntVar(&options.Customers, "customers", 100, "with an account, customer1@shop.example and so on")
	flag.Parse()

	store, err := shop.Open(options)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("monolith on %s; log in as %s with %q", *listen, shop.Email(1), shop.Password)
	log.Fatal(http.ListenAndServe(*listen, monolith.New(store)))
}
