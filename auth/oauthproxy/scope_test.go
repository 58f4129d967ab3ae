package oauthproxy

import (
	"slices"
	"strings"
	"testing"
)

func TestScopesAreResolvedOnce(t *testing.T) {
	for _, tt := range []struct{ asked, ours, want string }{
		{"", "read write", "read write"},
		{"write", "read write", "write"},
		{"write read write", "read write", "read write"},
		{"read admin", "read write", "read"},                                // never more than gateway.yaml has
		{"openid profile email offline_access", "read write", "read write"}, // asked for out of habit, in place of ours
		{"openid read offline_access", "read write", "read"},
		{"offline_access", "offline_access read", "offline_access"},
		{"admin", "read write", ""}, // what is not ours widens to nothing
		{"read", "", ""},
		{"", "", ""},
	} {
		if got := resolveScopes(tt.asked, strings.Fields(tt.ours)); !slices.Equal(got, strings.Fields(tt.want)) {
			t.Errorf("%q of %q: %q, want %q", tt.asked, tt.ours, got, tt.want)
		}
	}
}

func TestScopesInWords(t *testing.T) {
	for scope, want := range map[string]string{
		"read": "Read data", "contacts.read": "Read contacts", "write:orders": "Change orders", "crm_admin": "Administer crm",
		"https://api.example/mail.readonly": "Read mail", "billing": "Billing", "sales.orders": "Sales orders", "...": "...", "é": "é", "/": "/",
	} {
		if got := scopeInWords(scope); got != want {
			t.Errorf("%s: %q, want %q", scope, got, want)
		}
	}
}
