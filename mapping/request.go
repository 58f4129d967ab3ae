package mapping

import (
	"context"
	"errors"
	"net/http"
)

// NewRequest fills the arguments in. The body can be rewound (GetBody is set). A path value is one segment, whatever
// it holds.
func (t *Tool) NewRequest(ctx context.Context, args Arguments) (*http.Request, error) {
	return nil, errors.New("not built")
}
