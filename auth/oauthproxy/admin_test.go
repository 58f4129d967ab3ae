package oauthproxy

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mcpgate/auth/grant"
	"mcpgate/auth/provider"
	"mcpgate/auth/tokenstore"
	"mcpgate/internal/fault"
	"mcpgate/internal/seal"
)

// newAdmin is the operators' view of a lab's store, as a process of its own has it.
func (l *lab) newAdmin(ring string) *Admin {
	l.t.Helper()
	r := seal.NewRing(ring)
	keeper := grant.New(l.store, r, map[string]grant.Refresher{"idp": l.idp}, grant.Options{Now: l.clock})
	l.t.Cleanup(func() { _ = keeper.Close(context.Background()) })
	return NewAdmin(l.store, r, keeper, AdminOptions{})
}

// people logs in Anne twice and Ben once, with two clients.
func (l *lab) people() (anne, anneCursor, ben answered) {
	anne = l.login(nil)
	l.advance(time.Minute)
	shown := l.newCode(func(c *code) { c.ClientID = "cursor" })
	anneCursor = l.ask(0, with(codeForm(shown), "client_id", "cursor"))
	l.advance(time.Minute)
	ben = l.login(func(c *code) {
		c.Identity.Subject, c.Identity.Claims = "ben-18", map[string]any{"email": "Ben@example.com", "preferred_username": "ben"}
	})
	for _, id := range []string{"claude", "cursor"} {
		record := authorized{ClientID: id, Name: strings.ToUpper(id), Kind: kindKnown, RedirectURIs: []string{testRedirect}, First: l.clock(), Last: l.clock()}
		if err := l.servers[0].clients.Put(l.t.Context(), digest(id), record, 0); err != nil {
			l.t.Fatal(err)
		}
	}
	return anne, anneCursor, ben
}

func TestSessionsAreListed(t *testing.T) {
	l := newLab(t, labSettings{})
	start := l.clock()
	anne, _, ben := l.people()
	l.advance(time.Minute)
	l.ask(0, refreshForm(anne.RefreshToken))
	admin := l.newAdmin(testKey)
	got, err := admin.Sessions(t.Context())
	if err != nil || len(got) != 3 {
		t.Fatal(got, err)
	}
	want := Session{ID: l.sessionOf(anne.AccessToken), Subject: got[0].Subject, Person: "anne-17", Name: "Anne", Email: "anne@example.com", Provider: "idp",
		ClientID: "claude", ClientName: "CLAUDE", Scopes: []string{"read", "write"}, Created: start, Refreshed: start.Add(3 * time.Minute),
		Expires: start.Add(365 * 24 * time.Hour)}
	if diff := cmp.Diff(want, got[0], cmpopts.EquateApproxTime(0)); diff != "" || len(want.Subject) != 32 {
		t.Error(diff)
	}
	if got[2].ID != l.sessionOf(ben.AccessToken) || got[2].Login != "ben" || got[0].Subject != got[1].Subject || got[1].Subject == got[2].Subject {
		t.Errorf("%+v", got)
	}
	clients, err := admin.Clients(t.Context())
	if err != nil || len(clients) != 2 || clients[0].ID != "claude" || clients[0].Sessions != 2 || clients[1].Sessions != 1 || clients[0].Kind != kindKnown {
		t.Errorf("%+v %v", clients, err)
	}
	// Under another key nothing can be read, which is told.
	if got, err := l.newAdmin(newerKey).Sessions(t.Context()); len(got) != 0 || !errors.Is(err, tokenstore.ErrSealed) {
		t.Errorf("%v %v", got, err)
	}
}

func TestOperatorsEndLogins(t *testing.T) {
	for _, test := range []struct {
		name    string
		which   func(anne answered, list []Session) Filter
		ends    string // of anne, anne with cursor, ben: x where it does
		clients int
	}{
		{"by subject", func(_ answered, list []Session) Filter { return Filter{User: list[0].Subject} }, "xx-", 2},
		{"by the provider's id", func(answered, []Session) Filter { return Filter{User: "anne-17"} }, "xx-", 2},
		{"by e-mail", func(answered, []Session) Filter { return Filter{User: "ben@EXAMPLE.com"} }, "--x", 2},
		{"by user name", func(answered, []Session) Filter { return Filter{User: "ben"} }, "--x", 2},
		{"by client", func(answered, []Session) Filter { return Filter{ClientID: "claude"} }, "x-x", 1},
		{"by user and client", func(answered, []Session) Filter { return Filter{User: "anne-17", ClientID: "cursor"} }, "-x-", 2},
		{"by session", func(_ answered, list []Session) Filter { return Filter{Session: list[1].ID} }, "-x-", 2},
		{"nobody", func(answered, []Session) Filter { return Filter{User: "carla"} }, "---", 2},
		{"all", func(answered, []Session) Filter { return Filter{All: true} }, "xxx", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, labSettings{})
			anne, anneCursor, ben := l.people()
			admin := l.newAdmin(testKey)
			list, err := admin.Sessions(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ended, err := admin.Revoke(t.Context(), test.which(anne, list))
			if err != nil || len(ended) != strings.Count(test.ends, "x") {
				t.Errorf("ended %v, %v", ended, err)
			}
			for i, login := range []answered{anne, anneCursor, ben} {
				l.stands(login.AccessToken, test.ends[i] == '-')
				if _, err := l.servers[0].Verify(t.Context(), login.AccessToken); (err == nil) != (test.ends[i] == '-') {
					t.Errorf("login %d: %v", i, err)
				}
			}
			if clients, err := admin.Clients(t.Context()); err != nil || len(clients) != test.clients {
				t.Errorf("clients %v, %v", clients, err)
			}
			if err := admin.grants.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := l.idp.revoked.Load(); n != int64(len(ended)) {
				t.Errorf("told the provider %d times", n)
			}
		})
	}
}

// TestEndingAllTakesStrayGrantsToo: a process that died between two writes leaves upstream tokens without a session; what `mcpgate login` keeps is not one of them.
func TestEndingAllTakesStrayGrantsToo(t *testing.T) {
	l := newLab(t, labSettings{})
	keeper := l.servers[0].parts.Grants
	stray, local := grant.Key{Owner: newSessionID(), Provider: "idp"}, grant.Key{Owner: "local", Provider: "idp"}
	for _, key := range []grant.Key{stray, local} {
		if err := keeper.Keep(t.Context(), key, provider.Identity{Subject: "anne"}, provider.Tokens{AccessToken: "x"}, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	admin := l.newAdmin(testKey)
	if _, err := admin.Revoke(t.Context(), Filter{}); !errors.Is(err, ErrNoFilter) {
		t.Errorf("no filter: %v", err)
	}
	if err := keeper.Extend(t.Context(), stray, time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Revoke(t.Context(), Filter{All: true}); err != nil {
		t.Fatal(err)
	}
	if err := keeper.Extend(t.Context(), stray, time.Hour); !errors.Is(err, fault.LoginRequired) {
		t.Errorf("the stray one: %v", err)
	}
	if err := keeper.Extend(t.Context(), local, time.Hour); err != nil {
		t.Errorf("the local one: %v", err)
	}
}

func TestOperatorsAreToldOfAStoreThatIsDown(t *testing.T) {
	l := newLab(t, labSettings{})
	l.people()
	l.store.down.Store(true)
	admin := l.newAdmin(testKey)
	if _, err := admin.Sessions(t.Context()); !errors.Is(err, errDown) {
		t.Error(err)
	}
	if ended, err := admin.Revoke(t.Context(), Filter{All: true}); !errors.Is(err, errDown) || len(ended) != 0 {
		t.Error(ended, err)
	}
}
