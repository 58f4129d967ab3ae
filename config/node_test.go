package config

import "testing"

// A merge key brings what a mapping does not have itself; of a list of them the earlier one wins.
func TestMergeKeys(t *testing.T) {
	cfg := loadText(t, `
upstreams:
  a: &a
    spec: a.yaml
    timeout: 5s
    retry: &r {attempts: 2}
  b:
    <<: [{timeout: 7s, expose: all}, *a]
    retry: {<<: *r, unsafe: true}
  c: *a
`)
	b, c := cfg.Upstreams["b"], cfg.Upstreams["c"]
	if len(b.Spec) != 1 || b.Timeout.String() != "7s" || b.Expose != "all" || b.Retry.Attempts != 2 || !b.Retry.Unsafe {
		t.Errorf("b is %+v", b)
	}
	if c.Timeout.String() != "5s" || c.Name != "c" || *c.Prefix != "c_" {
		t.Errorf("c is %+v", c)
	}
}
