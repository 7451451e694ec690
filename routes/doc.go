// Package routes reads the config file: it decodes it strictly, reports all
// that is wrong with it at once, and compiles it into a [Table], which says
// where each request goes and which migrations there are.
//
//	table, err := routes.Load("ficus.yaml")
//	if err != nil {
//		fmt.Fprintln(os.Stderr, err) // ficus.yaml:14:9: migrations.orders.to: no upstream "order"; did you mean "orders"?
//	}
//
// What is written ([Config] and the types below it) and what is served
// ([Table]) are different types. Everything that can fail fails between the
// two, so that a bad edit changes nothing.
//
// In any value, ${NAME} stands for an environment variable and
// ${NAME:-default} for one that may be unset or empty; $${ is a plain ${.
// The values of variables never appear in a message.
package routes

//go:generate go run ./schemagen -schema ../docs/ficus.schema.json -reference ../docs/guide/configuration.md
