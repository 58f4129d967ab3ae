package oauthproxy

import "container/list"

// recent is a map of bounded size: beyond it, what was not used for longest is forgotten. It is not safe for concurrent use.
type recent[K comparable, V any] struct {
	size    int
	entries map[K]*list.Element
	order   *list.List // most recently used first
}

type recentEntry[K comparable, V any] struct {
	key   K
	value V
}

func newRecent[K comparable, V any](size int) *recent[K, V] {
	return &recent[K, V]{size, map[K]*list.Element{}, list.New()}
}

func (r *recent[K, V]) get(key K) (V, bool) {
	element, ok := r.entries[key]
	if !ok {
		var none V
		return none, false
	}
	r.order.MoveToFront(element)
	return element.Value.(recentEntry[K, V]).value, true
}

func (r *recent[K, V]) put(key K, value V) {
	if element, ok := r.entries[key]; ok {
		element.Value = recentEntry[K, V]{key, value}
		r.order.MoveToFront(element)
		return
	}
	if len(r.entries) >= r.size {
		oldest := r.order.Back()
		delete(r.entries, oldest.Value.(recentEntry[K, V]).key)
		r.order.Remove(oldest)
	}
	r.entries[key] = r.order.PushFront(recentEntry[K, V]{key, value})
}

func (r *recent[K, V]) remove(key K) {
	if element, ok := r.entries[key]; ok {
		r.order.Remove(element)
		delete(r.entries, key)
	}
}
