// Command schemagen writes the JSON Schema of gateway.yaml and its reference page from the structs of package config:
// their fields are the keys, their doc comments the descriptions, their tags the defaults and the choices. It reads the
// source text alone, so that it works while config's own copy of the schema is out of date.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	source := flag.String("source", ".", "the folder of package config")
	schema := flag.String("schema", "gateway.schema.json", "where to write the JSON Schema")
	page := flag.String("reference", "../docs/reference.md", "where to write the reference")
	flag.Parse()
	if err := run(*source, *schema, *page); err != nil {
		fmt.Fprintln(os.Stderr, "schemagen:", err)
		os.Exit(1)
	}
}

func run(source, schemaFile, pageFile string) error {
	m, err := readModel(source)
	if err != nil {
		return err
	}
	schema, err := m.schema()
	if err != nil {
		return err
	}
	if err := os.WriteFile(schemaFile, schema, 0o644); err != nil { //nolint:gosec // shipped for everybody to read
		return err
	}
	return os.WriteFile(pageFile, m.reference(), 0o644) //nolint:gosec // shipped for everybody to read
}
