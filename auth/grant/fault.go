package grant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mcpgate/auth/tokenstore"
	"mcpgate/internal/fault"
)

// retrySoon is when a caller may come again where nothing better is known.
const retrySoon = 5 * time.Second

// ended is the fault of a grant that can't be refreshed any more.
func ended(key Key, reason string) *fault.Fault {
	return fault.New(fault.LoginRequired, fmt.Sprintf("the login at %q is over (%s)", key.Provider, reason), nil)
}

// missing is the fault of a grant that is not there, or can't be opened.
func missing(key Key, cause error) *fault.Fault {
	return fault.New(fault.LoginRequired, fmt.Sprintf("there is no login at %q", key.Provider), cause)
}

// passing is the fault of what may work again soon, and is no reason to log in.
func passing(message string, cause error) *fault.Fault {
	f := fault.New(fault.Unavailable, message, cause)
	f.Retryable, f.RetryAfter = true, retrySoon
	return f
}

// interrupted is the fault of a caller that went away, or whose time ended, while it waited.
func interrupted(cause error) *fault.Fault {
	if errors.Is(cause, context.Canceled) {
		return fault.New(fault.Cancelled, "the call was cancelled", cause)
	}
	return passing("the login's token could not be had in the time of the call", cause)
}

// ofStore is the fault of an error of the store. A store that is down never asks anybody to log in.
func (k *Keeper) ofStore(ctx context.Context, key Key, err error) *fault.Fault {
	switch {
	case errors.Is(err, tokenstore.ErrNotFound):
		return missing(key, err)
	case errors.Is(err, tokenstore.ErrSealed):
		k.log.LogAttrs(ctx, errorLevel, "a stored login can't be opened: it was altered, or its key left `key`; the person has to log in again",
			append(key.attrs(), errorAttr(err))...)
		return missing(key, err)
	}
	return passing("the gateway can't reach its store of logins", err)
}
