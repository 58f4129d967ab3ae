package tokenstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// A record is one string, as in a file (encodeRecord), under prefix:table:name, with Redis's own expiry. Each script has one
// key, so that a cluster needs no hash tags: every script runs where its key is.
//
// What is taken or deleted stays for ten seconds as magicTaken, the nonce of the call, and the record. The client repeats a call
// whose answer was lost; the nonce, or the new version, tells that it was done, so that one caller is told so and not none.
const (
	magicTaken = "mcptaken"
	takenTTL   = 10 * time.Second
)

// swapScript gets the version that has to be there or nothing, the new record or nothing, its milliseconds, and a nonce.
var swapScript = redis.NewScript(`
local head = redis.call('GETRANGE', KEYS[1], 0, 33)
local version = ''
if string.sub(head, 1, 8) == '` + magicTaken + `' then
	if string.sub(head, 9) == ARGV[4] then return 1 end
elseif head ~= '' then
	version = string.sub(head, 9, 16)
	if version == '' then version = '?' end
	if ARGV[2] ~= '' and version == string.sub(ARGV[2], 9, 16) then return 1 end
end
if version ~= ARGV[1] then return 0 end
if ARGV[2] == '' then
	redis.call('SET', KEYS[1], '` + magicTaken + `' .. ARGV[4], 'PX', ` + milliseconds(takenTTL) + `)
elseif ARGV[3] == '0' then
	redis.call('SET', KEYS[1], ARGV[2])
else
	redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 1`)

// takeScript gets a nonce.
var takeScript = redis.NewScript(`
local record = redis.call('GET', KEYS[1])
if not record then return false end
if string.sub(record, 1, 8) == '` + magicTaken + `' then
	if string.sub(record, 9, 34) == ARGV[1] and #record > 34 then return string.sub(record, 35) end
	return false
end
redis.call('SET', KEYS[1], '` + magicTaken + `' .. ARGV[1] .. record, 'PX', ` + milliseconds(takenTTL) + `)
return record`)

// redisStore is a store in Redis or Valkey, alone or a cluster.
type redisStore struct {
	client redis.UniversalClient
	prefix string
	now    func() time.Time
	log    *slog.Logger

	keepsAll atomic.Bool // that nothing is evicted was found out
	warned   sync.Once
}

// Get reads the record.
func (r *redisStore) Get(ctx context.Context, key string) (Record, error) {
	if err := checkCall(ctx, key); err != nil {
		return Record{}, err
	}
	data, err := r.client.Get(ctx, r.key(key)).Bytes()
	if errors.Is(err, redis.Nil) || err == nil && bytes.HasPrefix(data, []byte(magicTaken)) {
		return Record{}, ErrNotFound
	}
	if err != nil {
		return Record{}, err
	}
	return decodeRecord(data)
}

// Swap runs swapScript.
func (r *redisStore) Swap(ctx context.Context, key string, version uint64, value []byte, ttl time.Duration) (uint64, error) {
	if err := checkSwap(ctx, key, version, value); err != nil {
		return 0, err
	}
	var expected, record []byte
	var next Record
	if version != 0 {
		expected = binary.BigEndian.AppendUint64(nil, version)
	}
	if value != nil {
		next = Record{Value: value, Version: newVersion()}
		if ttl > 0 {
			ttl = max(ttl, time.Millisecond) // Redis counts in these
			next.Expires = r.now().Add(ttl)
		}
		record = encodeRecord(next)
	}
	done, err := swapScript.Run(ctx, r.client, []string{r.key(key)}, expected, record, ttl.Milliseconds(), rand.Text()).Int()
	if err != nil {
		return 0, err
	}
	if done == 0 {
		return 0, ErrConflict
	}
	return next.Version, nil
}

// Take runs takeScript.
func (r *redisStore) Take(ctx context.Context, key string) (Record, error) {
	if err := checkCall(ctx, key); err != nil {
		return Record{}, err
	}
	data, err := takeScript.Run(ctx, r.client, []string{r.key(key)}, rand.Text()).Text()
	if errors.Is(err, redis.Nil) {
		return Record{}, ErrNotFound
	}
	if err != nil {
		return Record{}, err
	}
	return decodeRecord([]byte(data))
}

// Keys scans every master. A key may be of a record that was taken a few seconds ago.
func (r *redisStore) Keys(ctx context.Context, table string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := errors.Join(ctx.Err(), checkTable(table)); err != nil {
			yield("", err)
			return
		}
		keys, err := r.scan(ctx, r.prefix+":"+table+":")
		for name := range keys {
			key := table + "/" + name
			_, _, err := splitKey(key)
			if err != nil {
				key, err = "", fmt.Errorf("%s:%s:%q in Redis is no record", r.prefix, table, name)
			}
			if !yield(key, err) {
				return
			}
		}
		if err != nil {
			yield("", err)
		}
	}
}

// scan returns what stands after begin in the keys that begin so, once each: SCAN may name one twice. With an error, as far as it got.
func (r *redisStore) scan(ctx context.Context, begin string) (map[string]bool, error) {
	var mu sync.Mutex
	found := map[string]bool{}
	err := r.masters(ctx, func(ctx context.Context, node *redis.Client) error {
		for cursor := uint64(0); ; {
			keys, next, err := node.Scan(ctx, cursor, globEscape(begin)+"*", 500).Result()
			if err != nil {
				return err
			}
			mu.Lock()
			for _, key := range keys {
				found[strings.TrimPrefix(key, begin)] = true
			}
			mu.Unlock()
			if cursor = next; cursor == 0 {
				return nil
			}
		}
	})
	return found, err
}

// masters runs f on every node that takes writes.
func (r *redisStore) masters(ctx context.Context, f func(context.Context, *redis.Client) error) error {
	switch client := r.client.(type) {
	case *redis.ClusterClient:
		return client.ForEachMaster(ctx, f)
	case *redis.Client:
		return f(ctx, client)
	default:
		return fmt.Errorf("a client of type %T", client)
	}
}

// Check writes and takes a record, and looks once whether Redis keeps everything.
func (r *redisStore) Check(ctx context.Context) error {
	key := "check/" + rand.Text()
	if _, err := r.Swap(ctx, key, 0, []byte("x"), takenTTL); err != nil {
		return fmt.Errorf("redis can't be written: %w", err)
	}
	if _, err := r.Take(ctx, key); err != nil {
		return fmt.Errorf("redis does not keep what was written: %w", err)
	}
	if r.keepsAll.Load() {
		return nil
	}
	if err := r.masters(ctx, r.checkEviction); err != nil {
		return err
	}
	r.keepsAll.Store(true)
	return nil
}

// checkEviction returns an error where the node may throw records away when its memory is full: people would be logged out
// without a trace. A managed Redis may forbid CONFIG, INFO or both.
func (r *redisStore) checkEviction(ctx context.Context, node *redis.Client) error {
	setting, err := node.ConfigGet(ctx, "maxmemory*").Result()
	policy, limit := setting["maxmemory-policy"], setting["maxmemory"]
	if err != nil || policy == "" {
		info, err := node.Info(ctx, "memory").Result()
		if err != nil {
			if _, refused := errors.AsType[redis.Error](err); !refused {
				return err
			}
		}
		policy, limit = infoLine(info, "maxmemory_policy"), infoLine(info, "maxmemory")
	}
	switch {
	case policy == "":
		r.warned.Do(func() {
			r.log.Warn("redis does not tell its maxmemory-policy; it has to be noeviction, or people may be logged out when its memory is full")
		})
	case policy != "noeviction" && limit != "0":
		return fmt.Errorf("redis throws records away when its memory is full: set maxmemory-policy to noeviction (it is %s)", policy)
	}
	return nil
}

func infoLine(info, name string) string {
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// Close closes the connections.
func (r *redisStore) Close() error { return r.client.Close() }

func (r *redisStore) key(key string) string {
	return r.prefix + ":" + strings.Replace(key, "/", ":", 1)
}

// globEscape makes a text match itself alone in SCAN's patterns.
func globEscape(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(text)
}

func milliseconds(d time.Duration) string { return fmt.Sprint(d.Milliseconds()) }
