package tokenstore

// MemoryRecords counts what a memory store holds, what is over included.
func MemoryRecords(s Store) int { return len(s.(*memory).records) }
