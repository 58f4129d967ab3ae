package oauthproxy

import (
	"cmp"
	"encoding/binary"
	"net/http"
	"slices"
	"strings"
	"time"

	"mcpgate/internal/seal"
)

// maxCookies is how many of one kind a browser is given: more logins at once, and it would send headers that servers refuse.
const maxCookies = 10

// Kinds of cookies. A cookie of one kind never passes for another: each has its own key.
const (
	cookieLogin   = "tx"      // binds the callback to the browser in which somebody said yes
	cookieRender  = "csrf"    // binds an answer to the page that it was shown on
	cookieBrowser = "browser" // whose earlier answers count
)

// cookies writes and reads them. Each login and each page has one of its own, named by the SHA-256 of what it belongs to, so that several
// tabs never write the same one.
type cookies struct {
	ring  *seal.Ring
	now   func() time.Time
	plain bool // public_url is http, on loopback: browsers take no Secure cookie there
}

// name has the prefix that keeps other hosts of the domain from setting it (RFC 6265bis section 4.1.3.2). On https only that name counts.
func (c *cookies) name(kind, id string) string {
	name := "mcpgate_" + kind + "_" + id
	if c.plain {
		return name
	}
	return "__Host-" + name
}

// id names a cookie: 128 bits of the SHA-256 of what it belongs to.
func (*cookies) id(owner string) string {
	return digest(owner)[:32]
}

// set gives the browser a secret for owner, and takes back the oldest of the kind where they are too many.
func (c *cookies) set(w http.ResponseWriter, r *http.Request, kind, owner, secret string, life time.Duration) error {
	id := c.id(owner)
	data := binary.BigEndian.AppendUint64(nil, uint64(c.now().UnixNano()))
	value, err := c.ring.Seal("cookie "+kind, id, life, append(data, secret...))
	if err != nil {
		return err
	}
	c.trim(w, r, kind, id)
	c.write(w, c.name(kind, id), value, kind, int(life.Seconds()))
	return nil
}

// get returns the secret that the browser has for owner. Opening it is what compares: in constant time, and for this owner alone.
func (c *cookies) get(r *http.Request, kind, owner string) (string, bool) {
	id := c.id(owner)
	for _, cookie := range r.CookiesNamed(c.name(kind, id)) {
		if data, err := c.ring.Open("cookie "+kind, id, cookie.Value); err == nil && len(data) > 8 {
			return string(data[8:]), true
		}
	}
	return "", false
}

// drop takes the cookie of owner back.
func (c *cookies) drop(w http.ResponseWriter, kind, owner string) {
	c.write(w, c.name(kind, c.id(owner)), "", kind, -1)
}

// trim makes room for one more of a kind: what can't be opened goes first, then the oldest. It may be another gateway's on the same host, since
// cookies know no ports, and stays where there is room.
func (c *cookies) trim(w http.ResponseWriter, r *http.Request, kind, except string) {
	type held struct {
		name string
		made uint64
	}
	var there []held
	for _, cookie := range r.Cookies() {
		id, ok := strings.CutPrefix(cookie.Name, c.name(kind, ""))
		if !ok || id == except {
			continue
		}
		one := held{name: cookie.Name}
		if data, err := c.ring.Open("cookie "+kind, id, cookie.Value); err == nil && len(data) > 8 {
			one.made = binary.BigEndian.Uint64(data)
		}
		there = append(there, one)
	}
	slices.SortFunc(there, func(a, b held) int { return cmp.Compare(b.made, a.made) }) // the newest first
	for i, one := range there {
		if i >= maxCookies-1 {
			c.write(w, one.name, "", kind, -1)
		}
	}
}

// write sets a cookie. Lax lets it come along when the provider sends the browser back, which is a navigation from another site; a
// page's answer comes from ourselves, and Strict is enough.
func (c *cookies) write(w http.ResponseWriter, name, value, kind string, maxAge int) {
	site := http.SameSiteLaxMode
	if kind == cookieRender {
		site = http.SameSiteStrictMode
	}
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: maxAge, Secure: !c.plain, HttpOnly: true, SameSite: site})
}
