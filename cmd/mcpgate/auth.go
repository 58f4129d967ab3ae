package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"mcpgate/auth"
	"mcpgate/auth/grant"
	"mcpgate/auth/oauthproxy"
	"mcpgate/config"
	"mcpgate/gateway"
)

// keyBytes is the length of a key for gateway.yaml.
const keyBytes = 32

func (t *terminal) authCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "auth",
		Short: "See and end people's logins, and make a key",
		Long: `See and end the logins of people and clients, in the store that gateway.yaml names, whether a gateway runs on it or not. A
gateway that runs sees within 5 s what was ended. No command shows a token.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(t.authKeygenCommand(), t.authClientsCommand(), t.authGrantsCommand(), t.authRevokeCommand())
	return cmd
}

func (t *terminal) authKeygenCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "keygen",
		Short:   "Print a new key for gateway.yaml's `key`",
		Long:    "Print a new random key of 32 bytes, in base64, and nothing else. To rotate, put it before the old one: key: ${NEW},${OLD}.",
		Example: `  echo "MCP_JWT_SIGNING_KEY=$(mcpgate auth keygen)" >> .env`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			key := make([]byte, keyBytes)
			_, _ = rand.Read(key) // never fails: it ends the program instead
			_, err := fmt.Fprintln(t.stdout, base64.StdEncoding.EncodeToString(key))
			return err
		},
	}
}

func (t *terminal) authClientsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "clients",
		Short: "List the clients that somebody let in",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.withLogins(cmd.Context(), quietLog(), func(_ *config.Config, logins *gateway.Logins) error {
				clients, failed := admin(logins, t).Clients(cmd.Context())
				if asJSON {
					return errors.Join(writeJSON(t.stdout, append([]oauthproxy.Client{}, clients...)), failed)
				}
				table := tabwriter.NewWriter(t.stdout, 0, 0, 2, ' ', 0)
				fmt.Fprintln(table, "CLIENT\tKIND\tSINCE\tLAST\tLOGINS\tID")
				for _, c := range clients {
					fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\n", orDash(printable(c.Name)), c.Kind, moment(c.First), moment(c.Last), c.Sessions, printable(c.ID))
				}
				return errors.Join(table.Flush(), failed)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// standing is a login as `mcpgate auth grants` lists it: the session of a client, and the grant behind it.
type standing struct {
	Session   string    `json:"session"` // "" for one of `mcpgate login`
	Person    string    `json:"person"`
	Subject   string    `json:"subject"`
	Client    string    `json:"client"`
	ClientID  string    `json:"client_id,omitempty"`
	Provider  string    `json:"provider"`
	Scopes    []string  `json:"scopes,omitempty"`
	Created   time.Time `json:"created"`
	Refreshed time.Time `json:"refreshed,omitzero"` // when the provider last gave new tokens
	Expires   time.Time `json:"expires,omitzero"`   // the latest
	State     string    `json:"state"`              // ok, dead (the provider ended it), or none (no upstream tokens)
	Reason    string    `json:"reason,omitempty"`   // of death: the provider's error code
}

func (t *terminal) authGrantsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "grants",
		Short: "List the logins that stand: who, through which client, at which provider",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.withLogins(cmd.Context(), quietLog(), func(_ *config.Config, logins *gateway.Logins) error {
				all, failed := standings(cmd.Context(), admin(logins, t), logins)
				if asJSON {
					return errors.Join(writeJSON(t.stdout, append([]standing{}, all...)), failed)
				}
				table := tabwriter.NewWriter(t.stdout, 0, 0, 2, ' ', 0)
				fmt.Fprintln(table, "PERSON\tCLIENT\tPROVIDER\tSINCE\tREFRESHED\tEXPIRES\tSTATE\tSESSION")
				for _, s := range all {
					state := s.State
					if s.Reason != "" {
						state += " (" + printable(s.Reason) + ")"
					}
					fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Person, printable(s.Client), s.Provider, moment(s.Created),
						moment(s.Refreshed), moment(s.Expires), state, orDash(s.Session))
				}
				return errors.Join(table.Flush(), failed)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// standings joins sessions with their grants. The error joins what could not be read; the rest is returned with it.
func standings(ctx context.Context, a *oauthproxy.Admin, logins *gateway.Logins) ([]standing, error) {
	sessions, failed := a.Sessions(ctx)
	grants, unread := grantsOf(ctx, logins)
	var all []standing
	for _, s := range sessions {
		one := standing{Session: s.ID, Person: personOf(s), Subject: s.Person, Client: clientOf(s), ClientID: s.ClientID, Provider: s.Provider,
			Scopes: s.Scopes, Created: s.Created, Expires: s.Expires}
		g, ok := grants[grant.Key{Owner: s.ID, Provider: s.Provider}]
		one.judge(g, ok)
		all = append(all, one)
	}
	for key, g := range grants {
		if key.Owner != auth.Local().Login {
			continue
		}
		one := standing{Person: person(g.Identity.Subject, g.Identity.Claims), Subject: g.Identity.Subject, Client: "mcpgate login", Provider: key.Provider, Created: g.Created}
		one.judge(g, true)
		all = append(all, one)
	}
	return all, errors.Join(failed, unread)
}

func (s *standing) judge(g grant.Grant, found bool) {
	switch {
	case !found:
		s.State = "none"
		return
	case g.Dead:
		s.State, s.Reason = "dead", g.Reason
	default:
		s.State = "ok"
	}
	s.Refreshed = g.Refreshed
}

func (t *terminal) authRevokeCommand() *cobra.Command {
	var which oauthproxy.Filter
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "revoke",
		Short: "End logins, and tell the provider",
		Long: `End the logins that fit all of the flags, with their tokens at the provider as far as it can be told. The people have to log in
again. It asks nothing, and says what it ended.`,
		Example: `  mcpgate auth revoke --user alice@example.com
  mcpgate auth revoke --client https://claude.ai/oauth/mcp-oauth-client-metadata
  mcpgate auth revoke --all`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if which == (oauthproxy.Filter{}) {
				return usagef("revoke needs to know whose logins: --user, --client, --session, or --all")
			}
			return t.withLogins(cmd.Context(), t.warnLog(), func(_ *config.Config, logins *gateway.Logins) error {
				return t.revoke(cmd.Context(), logins, which, asJSON)
			})
		},
	}
	cmd.Flags().StringVar(&which.User, "user", "", "of a `PERSON`: e-mail, user name, or the id at the provider")
	cmd.Flags().StringVar(&which.ClientID, "client", "", "through a client, by its `ID`")
	cmd.Flags().StringVar(&which.Session, "session", "", "one login, by its `ID`")
	cmd.Flags().BoolVar(&which.All, "all", false, "everybody's")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	for _, other := range []string{"user", "client", "session"} {
		cmd.MarkFlagsMutuallyExclusive("all", other)
	}
	return cmd
}

func (t *terminal) revoke(ctx context.Context, logins *gateway.Logins, which oauthproxy.Filter, asJSON bool) error {
	t.discover(ctx, logins)
	ended, failed := admin(logins, t).Revoke(ctx, which)
	if asJSON {
		return errors.Join(writeJSON(t.stdout, append([]oauthproxy.Session{}, ended...)), failed)
	}
	for _, s := range ended {
		fmt.Fprintf(t.stdout, "ended: %s through %s, logged in at %s since %s\n", personOf(s), printable(clientOf(s)), s.Provider, moment(s.Created))
	}
	switch {
	case failed != nil:
		return failed
	case len(ended) == 0 && !which.All:
		return errors.New("no login fits; `mcpgate auth grants` lists them")
	}
	fmt.Fprintln(t.stderr, count(len(ended), "login")+" ended")
	return nil
}

// discoverTime bounds how long a provider is waited for that only has to be told something.
const discoverTime = 10 * time.Second

// discover finds out where the providers want to be told. One that can't be reached keeps nobody's login from ending.
func (t *terminal) discover(ctx context.Context, logins *gateway.Logins) {
	ctx, cancel := context.WithTimeout(ctx, discoverTime)
	defer cancel()
	for name, p := range logins.Providers {
		if p.Ready() == nil {
			continue
		}
		if err := p.Discover(ctx); err != nil {
			fmt.Fprintf(t.stderr, "provider %s can't be reached and won't be told: %v\n", name, err)
		}
	}
}

// admin is the operator's view of the store.
func admin(logins *gateway.Logins, t *terminal) *oauthproxy.Admin {
	return oauthproxy.NewAdmin(logins.Store, logins.Ring, logins.Grants, oauthproxy.AdminOptions{Logger: t.warnLog()})
}

// personOf is who logged in, by the name that people know.
func personOf(s oauthproxy.Session) string {
	for _, text := range []string{s.Email, s.Login, s.Name, s.Person} {
		if text != "" {
			return printable(text)
		}
	}
	return "-"
}

func clientOf(s oauthproxy.Session) string {
	if s.ClientName != "" {
		return s.ClientName
	}
	return s.ClientID
}

// printable takes out of a text that somebody else chose what could fool a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text)
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
