package auth

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"mcpgate/internal/fault"
)

// claims are what an issuer says of a token: in a JWT (RFC 7519 section 4.1, RFC 9068 section 2.2), or when it is asked (RFC
// 7662 section 2.2).
type claims struct {
	Issuer    string       `json:"iss"`
	Subject   string       `json:"sub"`
	Audience  texts        `json:"aud"`
	Expires   *numericDate `json:"exp"`
	NotBefore *numericDate `json:"nbf"`
	IssuedAt  *numericDate `json:"iat"`
	ClientID  string       `json:"client_id"`
	Azp       string       `json:"azp"` // what OpenID providers say instead
	Scope     scopes       `json:"scope"`
	Scp       scopes       `json:"scp"` // what Entra ID and Okta say instead

	all   map[string]any
	asked bool // the issuer was asked, and said that the token is good
}

// readClaims reads a JSON object. The error is fault.TokenInvalid.
func readClaims(payload []byte) (*claims, error) {
	var c claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return nil, fault.New(fault.TokenInvalid, "the token's claims can't be read", err)
	}
	if err := json.Unmarshal(payload, &c.all); err != nil {
		return nil, fault.New(fault.TokenInvalid, "the token's claims can't be read", err)
	}
	return &c, nil
}

// principal is who the claims are about: a client that calls for itself where they name no person.
func (c *claims) principal() *Principal {
	p := &Principal{Subject: c.Subject, Issuer: c.Issuer, ClientID: c.ClientID, Claims: maps.Clone(c.all)}
	if p.ClientID == "" {
		p.ClientID = c.Azp
	}
	if p.Subject == "" {
		p.Subject = p.ClientID
	}
	for _, scope := range slices.Concat(c.Scope, c.Scp) {
		if !slices.Contains(p.Scopes, scope) {
			p.Scopes = append(p.Scopes, scope)
		}
	}
	return p
}

// texts is a string or a list of them.
type texts []string

// UnmarshalJSON reads either form.
func (t *texts) UnmarshalJSON(data []byte) error {
	var one string
	if err := json.Unmarshal(data, &one); err == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(t))
}

// scopes is a list, or a string with spaces between them.
type scopes []string

// UnmarshalJSON reads either form.
func (s *scopes) UnmarshalJSON(data []byte) error {
	var list texts
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	*s = nil
	for _, text := range list {
		*s = append(*s, strings.Fields(text)...)
	}
	return nil
}

// numericDate is seconds of Unix time, which may have a fraction (RFC 7519 section 2).
type numericDate float64

// lastDate is the year 9999; what lies beyond would overflow when it is added to.
const lastDate = 253402300799

// UnmarshalJSON refuses what is no time.
func (n *numericDate) UnmarshalJSON(data []byte) error {
	var seconds float64
	if err := json.Unmarshal(data, &seconds); err != nil {
		return err
	}
	if math.Abs(seconds) > lastDate {
		return fmt.Errorf("%v is no date", seconds)
	}
	*n = numericDate(seconds)
	return nil
}

func (n numericDate) time() time.Time {
	whole, fraction := math.Modf(float64(n))
	return time.Unix(int64(whole), int64(fraction*float64(time.Second)))
}
