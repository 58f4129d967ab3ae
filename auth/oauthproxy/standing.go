package oauthproxy

import (
	"sync"
	"time"

	"mcpgate/auth"
)

// standingFor is how long a login is taken to stand after it was looked up: the longest that another process's revocation takes to be seen here.
const standingFor = 5 * time.Second

// standing remembers which logins stood a moment ago, and whose they are. It is safe for concurrent use.
type standing struct {
	mu     sync.Mutex
	logins *recent[string, stood] // by session
	ended  uint64                 // how many were dropped
}

type stood struct {
	who     auth.Principal // its scopes are the token's, and not here
	expires time.Time
	until   time.Time
}

func newStanding(size int) *standing {
	return &standing{logins: newRecent[string, stood](max(size, 1))}
}

// get returns what is remembered of a session, and what put wants where nothing is.
func (c *standing) get(session string, now time.Time) (known stood, ok bool, ended uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok = c.logins.get(session)
	return known, ok && now.Before(known.until), c.ended
}

// put remembers a session that was looked up after get said ended. Where one was dropped since, it is left: it may be this one.
func (c *standing) put(session string, known stood, ended uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended == ended {
		c.logins.put(session, known)
	}
}

// drop forgets a session that ended.
func (c *standing) drop(session string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended++
	c.logins.remove(session)
}
