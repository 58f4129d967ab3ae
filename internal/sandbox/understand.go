package sandbox

// understand decides what an endpoint does.
func (s *Sandbox) understand(e *endpoint, homes map[string]*collection) {
	if e.query != nil {
		e.does = query
		return
	}
	if e.path.isItem() {
		if home := homes[e.path.parent().key]; home != nil && s.isOnOne(e, home) {
			e.does, e.of = onOne[e.method], home
			return
		}
	}
	home := homes[e.path.key]
	e.many = typeOf(e.bodySchema()) == "array"
	switch e.method {
	case "GET":
		s.understandGet(e, home, homes)
	case "POST":
		s.understandPost(e, home)
	case "PUT", "PATCH":
		if home == nil {
			home = s.bySchema(e)
		}
		switch {
		case home != nil && e.namesItsRecord(home):
			e.does, e.of = map[string]action{"PUT": replace, "PATCH": update}[e.method], home
		case s.hasMethod(e.path, "GET"):
			e.does = alone
		}
	}
}

// isOnOne reports whether an endpoint at the path of one record is about that record.
func (s *Sandbox) isOnOne(e *endpoint, home *collection) bool {
	switch {
	case onOne[e.method] == answer || e.method == "GET" && e.isList() || s.isFile(e, home):
		return false
	case e.method == "POST":
		return s.reads(e.path)
	case e.method == "DELETE" || e.method == "PATCH":
		// What nothing makes, shows or lists is nothing to be kept: there is only an answer.
		return e.op.Method == "" || s.reads(e.path) || s.hasMethod(home.path, "POST") || s.hasMethod(home.path, "GET") || s.hasMethod(e.path, "PUT")
	}
	return true
}

// isFile reports whether a GET of one thing gives no record: a picture, say, that nothing here can make or list.
func (s *Sandbox) isFile(e *endpoint, home *collection) bool {
	return e.method == "GET" && e.op.Method != "" && len(properties(home.schema)) == 0 &&
		!s.hasMethod(home.path, "POST") && !s.hasMethod(home.path, "GET")
}

// onOne is what each method does at the path of one record; the others only answer.
var onOne = map[string]action{"GET": get, "POST": update, "PUT": replace, "PATCH": update, "DELETE": remove}

// namesItsRecord reports whether a write to the collection's own path says in its body which record is meant.
func (e *endpoint) namesItsRecord(home *collection) bool {
	body := e.bodySchema()
	if typeOf(body) == "array" {
		body, _ = e.defs.items(body)
	}
	_, named := properties(body)[home.idName]
	return e.path.key == home.path.key && (named || e.op.Method == "")
}

func (e *endpoint) isList() bool {
	_, ok := e.listed()
	return ok
}

func (s *Sandbox) understandGet(e *endpoint, home *collection, homes map[string]*collection) {
	listed, isList := e.listed()
	undocumented := e.op.Method == ""
	switch {
	case home != nil && (isList || undocumented || e.successSchema() == nil):
		e.does, e.of = list, home
	case isList:
		e.does = list
		if e.of = s.bySchema(e); e.of == nil {
			c := s.addCollection(e.path, e)
			c.schema, c.title = listed.item, listed.name
			c.identify("id")
			if _, shown := properties(c.schema)[c.idName]; !shown && len(properties(c.schema)) > 0 {
				c.idName = "" // nothing reads one of these, so nobody needs it
			}
			homes[e.path.key] = c
			e.of = c
		}
	case undocumented && !e.path.isItem() && s.hasMethod(e.path, "POST"):
		c := s.addCollection(e.path, e)
		c.identify("id")
		homes[e.path.key] = c
		e.does, e.of = list, c
	default:
		e.does = alone
	}
}

func (s *Sandbox) understandPost(e *endpoint, home *collection) {
	if home == nil {
		// GET at the same path lists what is created here, although none can be read by itself.
		for _, other := range s.endpoints {
			if other.method == "GET" && other.path.key == e.path.key && (other.isList() || other.op.Method == "") {
				s.understandGet(other, nil, map[string]*collection{})
				home = other.of
			}
		}
	}
	if home == nil && !s.isStep(e) {
		home = s.bySchema(e)
	}
	if home == nil {
		home = s.byName(e)
	}
	if home != nil {
		e.does, e.of = create, home
	}
}

// isStep reports whether the endpoint is something to do with one record, such as POST /orders/{id}/cancel.
func (s *Sandbox) isStep(e *endpoint) bool {
	return len(e.path.segments) > 1 && e.path.parent().isItem() && s.parentOf(e) != nil
}
