package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"mcpgate/auth"
	"mcpgate/auth/grant"
	"mcpgate/auth/provider"
	"mcpgate/config"
	"mcpgate/gateway"
	"mcpgate/internal/fault"
)

// loginTime is how long a person may take to log in.
const loginTime = 5 * time.Minute

// exchangeTime bounds what comes after it: the code's exchange, and storing the tokens.
const exchangeTime = time.Minute

// loginFlags are what `login` was told.
type loginFlags struct {
	port  int
	host  string
	quiet bool // opens no browser
	list  bool
	json  bool
	wait  time.Duration
}

func (t *terminal) loginCommand() *cobra.Command {
	var flags loginFlags
	cmd := &cobra.Command{
		Use:   "login [PROVIDER]",
		Short: "Log in at a provider, for serving over stdio",
		Long: `Log in at one of gateway.yaml's providers through the browser, and keep the tokens in the store that auth.oauth.store names,
encrypted. With them "serve --stdio" and "call" reach the upstreams whose credential is {type: login}.

The provider sends the browser back to http://127.0.0.1 at a free port (RFC 8252). Where its client has to be registered
with a port, say it with --port; the path is auth.oauth.redirect_path, /auth/callback unless gateway.yaml says otherwise.`,
		Example: `  mcpgate login salesforce
  mcpgate login salesforce --port 8976       http://127.0.0.1:8976/auth/callback is registered there
  mcpgate login --list`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case flags.list && len(args) > 0:
				return usagef("--list takes no provider")
			case !flags.list && len(args) != 1:
				return usagef("login needs the name of one of gateway.yaml's providers")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.list {
				return t.listLogins(cmd.Context(), flags.json)
			}
			return t.login(cmd.Context(), args[0], flags)
		},
		ValidArgsFunction: t.completeProvider,
	}
	cmd.Flags().IntVar(&flags.port, "port", 0, "be answered at `PORT` instead of a free one")
	cmd.Flags().StringVar(&flags.host, "host", "127.0.0.1", "be answered at `HOST`: 127.0.0.1 or localhost, as the provider's client is registered")
	cmd.Flags().BoolVar(&flags.quiet, "no-browser", false, "open no browser: print the address alone")
	cmd.Flags().DurationVar(&flags.wait, "wait", loginTime, "give up after this `TIME`")
	cmd.Flags().BoolVar(&flags.list, "list", false, "list the providers, and where you are logged in")
	cmd.Flags().BoolVar(&flags.json, "json", false, "with --list: print JSON")
	return cmd
}

func (t *terminal) login(ctx context.Context, name string, flags loginFlags) error {
	if flags.host != "127.0.0.1" && flags.host != "localhost" {
		return usagef("--host is 127.0.0.1 or localhost, not %q", flags.host)
	}
	cfg, err := t.loadConfig(false)
	if err != nil {
		return err
	}
	if _, err := findProvider(cfg, name); err != nil {
		return err // before a store is opened, or made
	}
	return t.withLogins(ctx, t.warnLog(), func(cfg *config.Config, logins *gateway.Logins) error {
		p := logins.Providers[name]
		if err := p.Discover(ctx); err != nil && p.Ready() != nil {
			return fmt.Errorf("provider %s can't be reached: %w", name, err)
		}
		waiting, cancel := context.WithTimeout(ctx, flags.wait)
		defer cancel()
		back, err := openCallback(waiting, flags.host, flags.port, cfg.Auth.OAuth.RedirectPath)
		if err != nil {
			return err
		}
		defer back.close()
		tokens, who, err := t.loginAt(waiting, p, back, request{cfg.Auth.OAuth.Scopes, resourceOf(cfg, name)}, flags)
		switch {
		case errors.Is(err, context.DeadlineExceeded) && waiting.Err() != nil && ctx.Err() == nil:
			return fmt.Errorf("nobody came back from %s within %s; run `mcpgate login %s` again", name, flags.wait, name)
		case err != nil:
			return explained(err)
		}
		keep, cancelKeep := context.WithTimeout(context.WithoutCancel(ctx), exchangeTime)
		defer cancelKeep()
		if err := logins.Grants.Keep(keep, localKey(name), who, tokens, 0); err != nil {
			return explained(err)
		}
		fmt.Fprintf(t.stdout, "logged in at %s as %s\n", name, person(who.Subject, who.Claims))
		if tokens.RefreshToken == "" && !tokens.Expires.IsZero() {
			fmt.Fprintf(t.stderr, "it holds until %s: the provider gave no refresh token; some want the scope offline_access for one\n", moment(tokens.Expires))
		}
		return nil
	})
}

// request is what is asked for at the provider besides the login itself.
type request struct {
	scopes   []string // ours
	resource string
}

// loginAt sends the person to the provider, waits for them, and redeems the code.
func (t *terminal) loginAt(ctx context.Context, p *provider.Provider, back *callback, ask request, flags loginFlags) (provider.Tokens, provider.Identity, error) {
	nonce, verifier := randomText(), randomText()
	address, err := p.AuthorizeURL(provider.AuthorizeRequest{
		State: back.state, Nonce: nonce, Verifier: verifier, RedirectURI: back.uri, Scopes: ask.scopes, Resource: ask.resource,
	})
	if err != nil {
		return provider.Tokens{}, provider.Identity{}, err
	}
	fmt.Fprintf(t.stderr, "Log in at %s in your browser. If it doesn't open, go to\n\n  %s\n\n", p.Name, address)
	if !flags.quiet {
		openBrowser(ctx, address)
	}
	query, answer, err := back.wait(ctx, func() {
		fmt.Fprintln(t.stderr, "an answer to another login came (its state is not this one's) and was ignored; still waiting")
	})
	if err != nil {
		return provider.Tokens{}, provider.Identity{}, err
	}
	exchange, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTime) // the code is good once: it is not left behind
	defer cancel()
	tokens, who, err := p.Exchange(exchange, provider.Callback{Query: query, Verifier: verifier, Nonce: nonce, RedirectURI: back.uri, Resource: ask.resource})
	answer(err)
	return tokens, who, err
}

// explained adds a fault's cause, which the person at the terminal is meant to see: it is their own login.
func explained(err error) error {
	failed, ok := errors.AsType[*fault.Fault](err)
	if !ok || failed.Unwrap() == nil {
		return err
	}
	return fmt.Errorf("%s: %w", failed.Message, failed.Unwrap())
}

// localKey is under which the grants of whoever runs the program are kept.
func localKey(name string) grant.Key { return grant.Key{Owner: auth.Local().Login, Provider: name} }

// resourceOf is the base_url of the first upstream, by name, that takes the provider's tokens: what send_resource sends.
func resourceOf(cfg *config.Config, name string) string {
	for _, upstream := range slices.Sorted(maps.Keys(cfg.Upstreams)) {
		u := cfg.Upstreams[upstream]
		if u.Credential.Type == "login" && u.Credential.Provider == name && !strings.Contains(u.BaseURL, "{") {
			return u.BaseURL
		}
	}
	return ""
}

// openBrowser shows a page to the person, as far as that goes: the address has been printed too.
func openBrowser(ctx context.Context, address string) {
	program := []string{"xdg-open"}
	switch runtime.GOOS {
	case "darwin":
		program = []string{"open"}
	case "windows":
		program = []string{"rundll32", "url.dll,FileProtocolHandler"}
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), program[0], append(program[1:], address)...)
	if cmd.Start() == nil {
		go func() { _ = cmd.Wait() }() // ends with the program at the latest; what it says helps nobody
	}
}

func (t *terminal) logoutCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "logout PROVIDER",
		Short: "End the login that `mcpgate login` made, and tell the provider",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("logout needs the name of one of gateway.yaml's providers")
			}
			return nil
		},
		ValidArgsFunction: t.completeProvider,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, name := cmd.Context(), args[0]
			return t.withLogins(ctx, t.warnLog(), func(cfg *config.Config, logins *gateway.Logins) error {
				grants, failed := grantsOf(ctx, logins)
				if _, ok := grants[localKey(name)]; !ok {
					if _, err := findProvider(cfg, name); err != nil {
						return err
					}
					fmt.Fprintf(t.stderr, "you are not logged in at %s\n", name)
					return failed
				}
				t.discover(ctx, logins)
				if err := logins.Grants.End(ctx, localKey(name)); err != nil {
					return err
				}
				_, err := fmt.Fprintf(t.stdout, "logged out at %s\n", name)
				return err
			})
		},
	}
}

// localLogin is a provider as `mcpgate login --list` shows it.
type localLogin struct {
	Provider  string    `json:"provider"`
	Person    string    `json:"person,omitempty"`
	Created   time.Time `json:"created,omitzero"`
	Refreshed time.Time `json:"refreshed,omitzero"`
	State     string    `json:"state"` // ok, dead (the provider ended it), or none
	Reason    string    `json:"reason,omitempty"`
}

func (t *terminal) listLogins(ctx context.Context, asJSON bool) error {
	return t.withLogins(ctx, quietLog(), func(cfg *config.Config, logins *gateway.Logins) error {
		grants, failed := grantsOf(ctx, logins)
		all := []localLogin{}
		for _, name := range slices.Sorted(maps.Keys(cfg.Providers)) {
			one := localLogin{Provider: name, State: "none"}
			if g, ok := grants[localKey(name)]; ok {
				one.Person, one.Created, one.Refreshed, one.State, one.Reason = person(g.Identity.Subject, g.Identity.Claims), g.Created, g.Refreshed, "ok", g.Reason
				if g.Dead {
					one.State = "dead"
				}
			}
			all = append(all, one)
		}
		if asJSON {
			return errors.Join(writeJSON(t.stdout, all), failed)
		}
		table := tabwriter.NewWriter(t.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "PROVIDER\tAS\tSINCE\tREFRESHED\tSTATE")
		for _, one := range all {
			state := map[string]string{"none": "not logged in", "dead": "ended by the provider: log in again"}[one.State]
			if state == "" {
				state = one.State
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", one.Provider, orDash(one.Person), moment(one.Created), moment(one.Refreshed), state)
		}
		return errors.Join(table.Flush(), failed)
	})
}
