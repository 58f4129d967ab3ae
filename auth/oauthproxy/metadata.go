package oauthproxy

import (
	"net/http"
	"slices"

	"mcpgate/auth"
)

// Where metadata stands (RFC 8414 section 3.1, OpenID Connect Discovery section 4).
const (
	wellKnownServer = "/.well-known/oauth-authorization-server"
	wellKnownOpenID = "/.well-known/openid-configuration"
)

// serverMetadata is RFC 8414 section 2. What it names is what is enforced.
type serverMetadata struct {
	Issuer               string   `json:"issuer"`
	Authorization        string   `json:"authorization_endpoint"`
	Token                string   `json:"token_endpoint"`
	Registration         string   `json:"registration_endpoint,omitempty"`
	Revocation           string   `json:"revocation_endpoint"`
	JWKS                 string   `json:"jwks_uri"`
	Scopes               []string `json:"scopes_supported,omitempty"`
	ResponseTypes        []string `json:"response_types_supported"`
	ResponseModes        []string `json:"response_modes_supported"`
	GrantTypes           []string `json:"grant_types_supported"`
	ChallengeMethods     []string `json:"code_challenge_methods_supported"`
	TokenMethods         []string `json:"token_endpoint_auth_methods_supported"`
	TokenAlgorithms      []string `json:"token_endpoint_auth_signing_alg_values_supported,omitempty"`
	RevocationMethods    []string `json:"revocation_endpoint_auth_methods_supported"`
	RevocationAlgorithms []string `json:"revocation_endpoint_auth_signing_alg_values_supported,omitempty"`
	Documents            bool     `json:"client_id_metadata_document_supported"`
	Iss                  bool     `json:"authorization_response_iss_parameter_supported"`
	Resources            []string `json:"protected_resources"`

	// OpenID Connect Discovery section 3 demands these; parsers of such metadata refuse it without them. No id_token is issued.
	SubjectTypes      []string `json:"subject_types_supported,omitempty"`
	IDTokenAlgorithms []string `json:"id_token_signing_alg_values_supported,omitempty"`
}

// metadata says what this server does (RFC 8414 section 2).
func (s *Server) metadata() serverMetadata {
	cfg := &s.parts.Config.Auth.OAuth
	m := serverMetadata{
		Issuer:            s.issuer,
		Authorization:     s.issuer + "/authorize",
		Token:             s.issuer + "/token",
		Revocation:        s.issuer + "/revoke",
		JWKS:              s.issuer + "/jwks",
		Scopes:            cfg.Scopes,
		ResponseTypes:     []string{"code"},
		ResponseModes:     []string{"query"},
		GrantTypes:        grants,
		ChallengeMethods:  []string{"S256"},
		TokenMethods:      s.authMethods(),
		RevocationMethods: s.authMethods(),
		Documents:         s.directory.documents != nil,
		Iss:               isOn(cfg.IssParameter),
		Resources:         []string{s.resource},
	}
	if isOn(cfg.Clients.Registration) {
		m.Registration = s.issuer + "/register"
	}
	if slices.Contains(m.TokenMethods, methodJWT) {
		m.TokenAlgorithms, m.RevocationAlgorithms = assertionAlgorithms(), assertionAlgorithms()
	}
	return m
}

// authMethods are the ways in which some client proves itself. none comes first, since clients take the first that they know: without secrets
// nothing has to be kept, and PKCE protects the code.
func (s *Server) authMethods() []string {
	methods := []string{methodNone}
	secrets := isOn(s.parts.Config.Auth.OAuth.Clients.Registration)
	for _, known := range s.directory.known {
		secrets = secrets || !known.secret.IsZero()
	}
	if secrets {
		methods = append(methods, methodBasic, methodPost)
	}
	if s.directory.documents != nil {
		methods = append(methods, methodJWT)
	}
	return methods
}

// registerMetadata adds the metadata of the server, in all forms in which clients look for it: with the issuer's path inserted (RFC 8414 section
// 3.1) and appended (OpenID), and without it, for a proxy in front that takes it away.
func (s *Server) registerMetadata(mux *http.ServeMux) {
	plain := s.metadata()
	openID := plain
	openID.SubjectTypes, openID.IDTokenAlgorithms = []string{"public"}, []string{"EdDSA"}
	base := s.prefix
	paths := map[string]serverMetadata{wellKnownServer: plain, wellKnownOpenID: openID}
	if base != "" {
		paths[wellKnownServer+base], paths[wellKnownOpenID+base] = plain, openID
		paths[base+wellKnownServer], paths[base+wellKnownOpenID] = plain, openID
	}
	// What is not there is so for pages of any origin too: a browser hides an answer without these headers from them, and some clients stop at that.
	mux.Handle("/.well-known/", auth.CrossOrigin(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusNotFound, map[string]string{"error": "not_found", "error_description": "there is no such metadata"})
	}), http.MethodGet, http.MethodHead))
	for path, document := range paths {
		mux.Handle(path, auth.CrossOrigin(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			auth.ServeMetadata(w, document)
		}), http.MethodGet, http.MethodHead))
	}
}

// registerClients adds the metadata, and /register where clients may register themselves.
func (s *Server) registerClients(mux *http.ServeMux) {
	s.registerMetadata(mux)
	if isOn(s.parts.Config.Auth.OAuth.Clients.Registration) {
		s.machine(mux, http.MethodPost, "/register", s.serveRegister)
	}
}
