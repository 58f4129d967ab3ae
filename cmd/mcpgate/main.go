// Command mcpgate turns any HTTP API into MCP tools from a file.
package main

import "os"

func main() { os.Exit(0) }
