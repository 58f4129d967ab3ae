package gateway

import (
	"context"
	"encoding/json"
	"net/http"

	"mcpgate/auth/credential"
	"mcpgate/internal/fault"
	"mcpgate/mapping"
)

// call runs a tool of this upstream: arguments, request, answer, result. It never returns nil.
func (u *upstream) call(ctx context.Context, tool *mapping.Tool, raw json.RawMessage) *Outcome {
	if u.callTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, u.callTimeout)
		defer cancel()
	}
	result, err := u.run(ctx, tool, raw)
	if err != nil {
		return failure(err, u.sandbox)
	}
	return success(result, u.sandbox)
}

// run is the way of a call, without what surrounds it.
func (u *upstream) run(ctx context.Context, tool *mapping.Tool, raw json.RawMessage) (mapping.Result, error) {
	arguments, err := tool.ParseArguments(raw)
	if err != nil {
		return mapping.Result{}, err
	}
	req, err := tool.NewRequest(ctx, arguments)
	if err != nil {
		return mapping.Result{}, err
	}
	resp, err := u.send(req)
	if err != nil {
		return mapping.Result{}, err
	}
	page, err := tool.ReadPage(resp)
	if err != nil {
		return mapping.Result{}, err
	}
	return tool.Shape(ctx, []mapping.Page{page})
}

// send sends one request of a call.
func (u *upstream) send(req *http.Request) (*http.Response, error) {
	resp, err := credential.Transport(u.source, u.base).RoundTrip(req)
	if err != nil {
		return nil, fault.New(fault.Connection, "the upstream could not be reached", err)
	}
	return resp, nil
}
