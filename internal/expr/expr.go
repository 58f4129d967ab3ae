// Package expr compiles conditions (CEL) at load and decides them later. It does not know what they decide.
package expr

import "errors"

// Condition is a compiled condition. It is safe for concurrent use.
type Condition struct{}

// Compile reads a condition over these variables, such as "claims". The error says where in the text it is wrong.
func Compile(text string, variables ...string) (*Condition, error) { return nil, errors.New("not built yet") }

// Holds decides it, within bounds of time and cost. What can't be decided (a missing claim) does not hold.
func (c *Condition) Holds(variables map[string]any) bool { return false }
