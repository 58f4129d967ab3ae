package specs

// readSecuritySchemes reads the schemes that the document defines.
func (r *reader) readSecuritySchemes() {
	section := r.root.get("components").get("securitySchemes")
	if r.dialect == swagger2 {
		section = r.root.get("securityDefinitions")
	}
	r.schemes = map[string]SecurityScheme{}
	for _, e := range r.entries(section, "the section of security schemes") {
		n, err := r.resolve(e.value)
		if err != nil {
			r.lost(e.value, "the security scheme "+e.key, err)
			continue
		}
		r.schemes[e.key] = r.readScheme(e.key, n)
	}
}

func (r *reader) readScheme(name string, n *node) SecurityScheme {
	s := SecurityScheme{
		Name: name, Type: r.text(n.get("type")), Scheme: r.text(n.get("scheme")), In: r.text(n.get("in")),
		OpenIDConnectURL: r.text(n.get("openIdConnectUrl")),
	}
	switch s.Type {
	case "apiKey":
		s.Key = r.text(n.get("name"))
	case "basic": // Swagger 2.0's
		s.Type, s.Scheme = "http", "basic"
	case "oauth2":
		s.AuthorizationURL, s.TokenURL = r.text(n.get("authorizationUrl")), r.text(n.get("tokenUrl")) // 2.0's
		s.ClientCredentials = r.text(n.get("flow")) == "application" || n.get("flows").get("clientCredentials") != nil
		for _, flow := range []string{"authorizationCode", "clientCredentials", "implicit", "password", "deviceAuthorization"} {
			f := n.get("flows").get(flow)
			if s.AuthorizationURL == "" {
				s.AuthorizationURL = r.text(f.get("authorizationUrl"))
			}
			if s.TokenURL == "" {
				s.TokenURL = r.text(f.get("tokenUrl"))
			}
		}
	}
	return s
}

// security returns an operation's alternatives: its own, else the document's. An empty list empties, and an empty
// alternative says that none is needed.
func (r *reader) security(n *node) [][]SecurityScheme {
	demands := n.get("security")
	if demands == nil {
		demands = r.root.get("security")
	}
	var alternatives [][]SecurityScheme
	for _, demand := range r.list(demands, "security") {
		alternative, complete := []SecurityScheme{}, true
		for _, e := range r.entries(demand, "security") {
			scheme, known := r.schemes[e.key]
			if !known {
				r.warn(e.value, "no security scheme is called %q; this alternative is left out", e.key)
				complete = false
				continue
			}
			for _, scope := range r.list(e.value, "scopes") {
				scheme.Scopes = append(scheme.Scopes, r.text(scope))
			}
			alternative = append(alternative, scheme)
		}
		if complete {
			alternatives = append(alternatives, alternative)
		}
	}
	return alternatives
}
