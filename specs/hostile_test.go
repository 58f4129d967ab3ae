package specs

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// hostile are small files that ask for a lot of work. None may take long, with kin-openapi's advice neither.
var hostile = map[string]func() string{
	"a chain of 10,000 schemas": func() string {
		var b strings.Builder
		b.WriteString("openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths: {/a: {post: {operationId: a, requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/S0'}}}}, responses: {}}}}\ncomponents:\n  schemas:\n")
		for i := range 10_000 {
			fmt.Fprintf(&b, "    S%d: {$ref: '#/components/schemas/S%d'}\n", i, i+1)
		}
		b.WriteString("    S10000: {type: string}\n")
		return b.String()
	},
	"a chain of 10,000 parameters": func() string {
		var b strings.Builder
		b.WriteString("openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths: {/b: {get: {operationId: b, responses: {}}}, /a: {get: {operationId: a, parameters: [{$ref: '#/components/parameters/P0'}], responses: {}}}}\ncomponents:\n  parameters:\n")
		for i := range 10_000 {
			fmt.Fprintf(&b, "    P%d: {$ref: '#/components/parameters/P%d'}\n", i, i+1)
		}
		b.WriteString("    P10000: {name: p, in: query, schema: {type: string}}\n")
		return b.String()
	},
	"a billion laughs of references": func() string {
		var b strings.Builder
		b.WriteString("openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {/a: {post: {operationId: a, requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/L0'}}}}, responses: {}}}}\ncomponents:\n  schemas:\n")
		for i := range 60 {
			next := fmt.Sprintf("{$ref: '#/components/schemas/L%d'}", i+1)
			fmt.Fprintf(&b, "    L%d: {type: object, properties: {a: %s, b: %s, c: %s}, allOf: [%s, %s]}\n", i, next, next, next, next, next)
		}
		b.WriteString("    L60: {type: string}\n")
		return b.String()
	},
	"5,000 schemas in one allOf, each with the next": func() string {
		var b strings.Builder
		b.WriteString("openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths: {/a: {post: {operationId: a, requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/N0'}}}}, responses: {}}}}\ncomponents:\n  schemas:\n")
		for i := range 5_000 {
			fmt.Fprintf(&b, "    N%d: {allOf: [{$ref: '#/components/schemas/N%d'}, {type: object, properties: {p%d: {type: string}}}]}\n", i, i+1, i)
		}
		b.WriteString("    N5000: {type: object}\n")
		return b.String()
	},
	"300 schemas that all refer to all": func() string {
		var b strings.Builder
		b.WriteString("openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths: {/a: {post: {operationId: a, requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/M0'}}}}, responses: {}}}}\ncomponents:\n  schemas:\n")
		for i := range 300 {
			fmt.Fprintf(&b, "    M%d:\n      properties:\n", i)
			for j := range 300 {
				fmt.Fprintf(&b, "        p%d: {$ref: '#/components/schemas/M%d'}\n", j, j)
			}
		}
		return b.String()
	},
	"40 allOf that contain one another": func() string {
		var b strings.Builder
		b.WriteString("openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths: {/a: {post: {operationId: a, requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/C0'}}}}, responses: {}}}}\ncomponents:\n  schemas:\n")
		for i := range 40 {
			fmt.Fprintf(&b, "    C%d: {allOf: [", i)
			for j := range 40 {
				fmt.Fprintf(&b, "{$ref: '#/components/schemas/C%d'},", j)
			}
			b.WriteString("]}\n")
		}
		return b.String()
	},
	"200 schemas inside of one another": func() string {
		return "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {/a: {post: {operationId: a, requestBody: {content: {application/json: {schema: " +
			strings.Repeat("{allOf: [", 115) + "{type: string}" + strings.Repeat("]}", 115) + "}}}, responses: {}}}}\n"
	},
	"100,000 dangling references": func() string {
		return "openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths: {/a: {get: {operationId: a, responses: {}}}}\ncomponents: {schemas: {S: {anyOf: [" +
			strings.Repeat("{$ref: '#/nowhere'},", 100_000) + "]}}}\n"
	},
	"references that lead through themselves": func() string {
		return `openapi: 3.1.0
info: {title: T, version: '1'}
paths:
  /a: {get: {operationId: a, responses: {}, parameters: [{name: p, in: query, schema: {$ref: '#/components/schemas/A/properties/x/items'}}]}}
components:
  schemas:
    A: {type: object, properties: {x: {anyOf: [{not: {$ref: '#/components/schemas/A/properties/x/anyOf/0/not/items/x'}}]}}}
    B: {allOf: [{$ref: '#/components/schemas/C/allOf/0/x'}]}
    C: {allOf: [{$ref: '#/components/schemas/B/allOf/0/y'}]}
`
	},
	"references in circles": func() string {
		return `openapi: 3.1.0
info: {title: T, version: '1'}
paths:
  /a: {get: {operationId: a, responses: {'200': {$ref: '#/components/responses/R'}}, parameters: [{$ref: '#/components/parameters/P'}]}}
  /b: {$ref: '#/paths/~1c'}
  /c: {$ref: '#/paths/~1b'}
  /d: {get: {operationId: d, responses: {}, callbacks: {on: {$ref: '#/components/callbacks/K'}}}}
components:
  responses: {R: {$ref: '#/components/responses/Q'}, Q: {$ref: '#/components/responses/R'}}
  parameters: {P: {$ref: '#/components/parameters/P'}}
  callbacks: {K: {x: {$ref: '#/paths/~1d'}}}
  schemas:
    A: {$ref: '#/components/schemas/B'}
    B: {$ref: '#/components/schemas/A'}
    D: {$ref: '#/components/schemas/D/properties/x', properties: {x: {$ref: '#/components/schemas/D'}}}
    E: {items: {$ref: '#'}}
    F: {allOf: [{$ref: '#/components/schemas/F'}]}
`
	},
}

// ends is how long a busy machine under the race detector may take for what would otherwise not end at all.
const ends = 2 * time.Minute

func TestHostileDocuments(t *testing.T) {
	const advice = 2 * time.Second
	for name, content := range hostile {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			put(t, folder, "doc.yaml", content())
			began := time.Now()
			doc, warnings, err := Loader{Dir: folder}.Load(t.Context(), "doc.yaml")
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > ends {
				t.Errorf("took %v", took)
			}
			t.Logf("%v: %d operations, %d warnings", time.Since(began), len(doc.Operations()), len(warnings))
			if len(doc.Operations()) == 0 {
				t.Errorf("no operation is left: %v", warnings)
			}
			if len(warnings) > maxWarnings+1 {
				t.Errorf("%d warnings", len(warnings))
			}
			checkRefs(t, doc)
			began = time.Now()
			_, advised, err := Loader{Dir: folder, Advice: advice}.Load(t.Context(), "doc.yaml")
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > advice+ends {
				t.Errorf("with advice it took %v", took)
			}
			t.Logf("with advice %v: %v", time.Since(began), advised[len(warnings):])
		})
	}
}
