package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"mcpgate/auth/grant"
	"mcpgate/auth/tokenstore"
	"mcpgate/config"
	"mcpgate/gateway"
)

// closeTime bounds how long a command waits for what it told providers.
const closeTime = 30 * time.Second

// withLogins opens the store of people's logins that gateway.yaml names, for as long as do runs.
func (t *terminal) withLogins(ctx context.Context, log *slog.Logger, do func(*config.Config, *gateway.Logins) error) (err error) {
	cfg, err := t.loadConfig(false)
	if err != nil {
		return err
	}
	if cfg.Auth.OAuth.Store.Type == "memory" {
		return usagef("auth.oauth.store is memory, which no other program sees: with type: file or redis logins can be listed and ended")
	}
	logins, err := gateway.OpenLogins(ctx, cfg, gateway.LoginOptions{Logger: log})
	if err != nil {
		return err
	}
	defer func() {
		expiry, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
		defer cancel()
		err = errors.Join(err, logins.Close(expiry))
	}()
	if err := logins.Store.Check(ctx); err != nil {
		return fmt.Errorf("the store of logins can't be reached: %w", err)
	}
	return counted(do(cfg, logins))
}

// maxFailures of single records are told; where a key is gone, each record has one.
const maxFailures = 3

// counted tells the first of many joined errors, and how many more there are.
func counted(err error) error {
	failures := apart(err)
	if len(failures) <= maxFailures {
		return err
	}
	text := errors.Join(failures[:maxFailures]...).Error() + fmt.Sprintf("\nand %d more", len(failures)-maxFailures)
	if errors.Is(err, tokenstore.ErrSealed) {
		text += "; where a key was replaced, put the old one behind it until the logins have ended: key: ${NEW},${OLD}"
	}
	return errors.New(text)
}

// apart returns the errors that were joined, however deep.
func apart(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, each := range joined.Unwrap() {
		all = append(all, apart(each)...)
	}
	return all
}

// quietLog is for commands that only look: warnings of the store and of providers that they don't need are kept back.
func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

// warnLog is for commands that change something: what went wrong on the way is told.
func (t *terminal) warnLog() *slog.Logger {
	return slog.New(slog.NewTextHandler(t.stderr, &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: withoutTime}))
}

// withoutTime leaves out what a person at a terminal knows.
func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// findProvider returns a provider of gateway.yaml, or says which one was probably meant.
func findProvider(cfg *config.Config, name string) (*config.Provider, error) {
	if p := cfg.Providers[name]; p != nil {
		return p, nil
	}
	names := slices.Sorted(maps.Keys(cfg.Providers))
	if len(names) == 0 {
		return nil, usagef("gateway.yaml has no providers; write providers: {%s: {issuer: https://..., client_id: ...}}", name)
	}
	if near := config.Nearest(name, names); near != "" {
		return nil, usagef("there is no provider %q in gateway.yaml; did you mean %q?", name, near)
	}
	return nil, usagef("there is no provider %q in gateway.yaml; there is %s", name, strings.Join(names, ", "))
}

// grantsOf are the grants by their owner, as far as they can be read.
func grantsOf(ctx context.Context, logins *gateway.Logins) (map[grant.Key]grant.Grant, error) {
	grants := map[grant.Key]grant.Grant{}
	var failures []error
	for g, err := range logins.Grants.All(ctx) {
		if err != nil {
			failures = append(failures, err)
			continue
		}
		grants[g.Key] = g
	}
	return grants, errors.Join(failures...)
}

// moment writes a time for a person; the zero time is never.
func moment(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.Local().Format("2006-01-02 15:04")
}

// person is who somebody is, by the name that is known of them.
func person(subject string, claims map[string]any) string {
	for _, name := range []string{"email", "preferred_username", "name"} {
		if text, ok := claims[name].(string); ok && text != "" {
			return printable(text)
		}
	}
	return printable(subject)
}
