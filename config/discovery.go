package config

import (
	"fmt"
	"slices"
	"strconv"
)

// Discovery says which tools a client is shown, and which a model has to find with search_tools, describe_tool and
// call_tool.
type Discovery struct {
	// Mode auto shows the tools while they fit BudgetTokens, and lets the rest be found; direct shows all, whatever they
	// cost a model; search shows none but those in Pin.
	Mode string `yaml:"mode" default:"auto" enum:"auto,direct,search"`
	// BudgetTokens is what the shown tools may cost in a model's context, 4 bytes a token. The model pays it at every turn.
	BudgetTokens int `yaml:"budget_tokens" default:"12000"`
	// Pin names tools that are always shown, with the prefix that they have.
	Pin []string `yaml:"pin"`
}

func (v *validator) discovery() {
	d, at := &v.cfg.Discovery, Path{"discovery"}
	v.unless(d.BudgetTokens > 0, at.Child("budget_tokens"), "a budget is more than 0 tokens", "`mode: search` shows as little as can be")
	for i, name := range d.Pin {
		place := at.Child("pin", strconv.Itoa(i))
		v.unless(name != "", place, "this names no tool", "")
		v.unless(!slices.Contains(d.Pin[:i], name), place, fmt.Sprintf("%q is here twice", name), "")
	}
}
