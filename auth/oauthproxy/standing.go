package oauthproxy

import (
	"container/list"
	"sync"
	"time"

	"mcpgate/auth"
)

// standingFor is how long a login is taken to stand after it was looked up: the longest that another process's revocation takes to be seen here.
const standingFor = 5 * time.Second

// standing remembers which logins stood a moment ago, and whose they are, at most size of them. It is safe for concurrent use.
type standing struct {
	size int

	mu     sync.Mutex
	places map[string]*list.Element // of *stood
	recent *list.List               // the latest used first
	ended  uint64                   // how many were dropped
}

type stood struct {
	session string
	who     auth.Principal // its scopes are the token's, and not here
	expires time.Time
	until   time.Time
}

func newStanding(size int) *standing {
	return &standing{size: size, places: map[string]*list.Element{}, recent: list.New()}
}

// get returns what is remembered of a session, and what put wants where nothing is.
func (c *standing) get(session string, now time.Time) (s stood, ok bool, ended uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	place := c.places[session]
	if place == nil {
		return stood{}, false, c.ended
	}
	s = *place.Value.(*stood)
	if !now.Before(s.until) {
		c.remove(place)
		return stood{}, false, c.ended
	}
	c.recent.MoveToFront(place)
	return s, true, c.ended
}

// put remembers a session that was looked up after get said ended. Where one was dropped since, it is left: it may be this one.
func (c *standing) put(s stood, ended uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size <= 0 || c.ended != ended {
		return
	}
	if place := c.places[s.session]; place != nil {
		c.remove(place)
	}
	if c.recent.Len() >= c.size {
		c.remove(c.recent.Back())
	}
	c.places[s.session] = c.recent.PushFront(&s)
}

// drop forgets a session that ended.
func (c *standing) drop(session string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended++
	if place := c.places[session]; place != nil {
		c.remove(place)
	}
}

// remove forgets a place. The lock is held.
func (c *standing) remove(place *list.Element) {
	delete(c.places, place.Value.(*stood).session)
	c.recent.Remove(place)
}
