package config

import "slices"

// LoadSandbox is Load with the built-in sandbox in the place of every upstream. What only the real API needs, its
// address, credential and headers, is not read, so that no variable for it has to be set.
func LoadSandbox(path string, env func(string) (string, bool)) (*Config, error) {
	return load(path, env, sandboxed)
}

// sandboxed replaces the address of every upstream. Mappings are copied, since an alias may share them.
func sandboxed(root *node) {
	upstreams := root.get("upstreams")
	for i := range entriesOf(upstreams) {
		at := &upstreams.entries[i].value
		if (*at).kind != mapping {
			continue // decoding says what is wrong with it
		}
		upstream := **at
		upstream.entries = slices.DeleteFunc(slices.Clone(upstream.entries), func(e entry) bool {
			return e.key == "base_url" || e.key == "credential" || e.key == "headers"
		})
		base := &node{kind: scalar, file: upstream.file, line: upstream.line, column: upstream.column, text: SandboxURL, quoted: true}
		upstream.entries = append(upstream.entries, entry{key: "base_url", line: base.line, column: base.column, value: base})
		*at = &upstream
	}
}
