package mapping

import (
	"mcpgate/config"
	"mcpgate/specs"
)

// Compile turns every chosen operation of every upstream into a tool, sorted by name. documents has the documents of
// each upstream by its name. An operation that can't become a tool is a problem, not the end: the others are returned.
func Compile(cfg *config.Config, documents map[string][]*specs.Document) ([]*Tool, []config.Problem) {
	return nil, nil
}
