package config

// appToken checks a credential that is a token of the gateway's own: where it comes from, and what proves the gateway there.
func (v *validator) appToken(u *Upstream, at Path) {
	c := &u.Credential
	if c.Type != "client_credentials" && c.Type != "jwt_bearer" {
		return
	}
	v.scopes(at.Child("scopes"), c.Scopes)
	v.unless(c.TokenLifetime >= 0, at.Child("token_lifetime"), "a token can't be over before it begins", "")
	if c.Provider != "" {
		v.providerName(at, c.Provider, "")
		for key, filled := range map[string]bool{"token_url": c.TokenURL != "", "client_id": c.ClientID != "", "client_secret": !c.ClientSecret.IsZero(),
			"token_endpoint_auth_method": c.TokenEndpointAuthMethod != "", "key_file": c.KeyFile != "", "keep": len(c.Keep) > 0} {
			v.unless(!filled, at.Child(key), key+" is the provider's to say", "leave it out here, or leave provider out")
		}
		if p := v.cfg.Providers[c.Provider]; p != nil && c.Type == "jwt_bearer" && p.PrivateKey.KeyFile == "" {
			v.add(at.Child("provider"), "jwt_bearer needs a key that signs, and the provider has none", "write private_key: {key_file: key.pem} there")
		}
		return
	}
	if c.TokenURL == "" {
		v.missing(at, "token_url", "nothing says where the token comes from", "write token_url: https://..., or provider: NAME")
	}
	v.endpointURL(at.Child("token_url"), c.TokenURL)
	v.keep(at.Child("keep"), c.Keep)
	v.readable(at.Child("key_file"), c.KeyFile)
	secret, key := !c.ClientSecret.IsZero() || v.empty(at.Child("client_secret")), c.KeyFile != ""
	if c.Type == "jwt_bearer" {
		if !key {
			v.missing(at, "key_file", "jwt_bearer needs a key that signs", "write key_file: key.pem")
		}
		if c.ClientID == "" && c.Issuer == "" {
			v.missing(at, "client_id", "nothing says who signs the assertion", "write client_id, or issuer")
		}
		return
	}
	if c.ClientID == "" && !v.empty(at.Child("client_id")) {
		v.missing(at, "client_id", "client_credentials needs a client_id", "")
	}
	switch method := c.TokenEndpointAuthMethod; {
	case !secret && !key:
		v.missing(at, "client_secret", "client_credentials needs a client_secret, or a key_file", "a client without either proves nothing")
	case method == "none":
		v.add(at.Child("token_endpoint_auth_method"), "client_credentials without a proof gets no token", "leave it out")
	case (method == "client_secret_basic" || method == "client_secret_post") && !secret:
		v.missing(at, "client_secret", method+" needs a client_secret", "write client_secret: ${CLIENT_SECRET}")
	case method == "private_key_jwt" && !key:
		v.missing(at, "key_file", method+" needs a key that signs", "write key_file: key.pem")
	}
}
