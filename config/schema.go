package config

import (
	"bytes"
	_ "embed"
)

//go:generate go run ../internal/schemagen -source . -schema gateway.schema.json -reference ../docs/reference.md

//go:embed gateway.schema.json
var schema []byte

// Schema returns the JSON Schema (draft 2020-12) of gateway.yaml, with which editors complete and check it.
func Schema() []byte { return bytes.Clone(schema) }
