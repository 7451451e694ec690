// Schemagen writes the JSON Schema of the config, which editors complete and
// check it by, and the reference of all its keys. Both are made of the
// definition types of package routes and of their doc comments; go generate
// runs it, and a test fails when its output is not what is committed.
package main

import (
	"flag"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	source := flag.String("source", ".", "directory of package routes")
	schema := flag.String("schema", "", "file to write the schema to")
	reference := flag.String("reference", "", "file to write the reference to")
	flag.Parse()
	docs, err := readComments(*source)
	if err != nil {
		log.Fatal(err)
	}
	write(*schema, func() ([]byte, error) { return schemaOf(docs) })
	write(*reference, func() ([]byte, error) { return referenceOf(docs, *source) })
}

func write(path string, content func() ([]byte, error)) {
	if path == "" {
		return
	}
	text, err := content()
	if err == nil {
		err = os.WriteFile(path, text, 0o644)
	}
	if err != nil {
		log.Fatal(err)
	}
}
