package mapping

import (
	"encoding/json"
	"errors"
)

// ParseArguments validates a call's arguments against the whole schema, puts defaults in, and returns them. A
// mismatch is a fault.Input that names each argument and what is allowed. raw may be empty.
func (t *Tool) ParseArguments(raw json.RawMessage) (Arguments, error) {
	return nil, errors.New("not built")
}
