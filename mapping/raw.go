package mapping

import (
	"bytes"
	"iter"
	"strconv"
)

// This file walks compact, valid JSON by its bytes: what is kept of an answer is kept as it came, its numbers and the
// order of its keys too.

// rawItems yields the items of an array.
func rawItems(array []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := 1; i < len(array)-1; i++ { // past the bracket, then past each comma
			end := rawEnd(array, i)
			if !yield(array[i:end]) {
				return
			}
			i = end
		}
	}
}

// rawMembers yields the members of an object: the key, quoted, and the value.
func rawMembers(object []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		for i := 1; i < len(object)-1; i++ {
			colon := rawEnd(object, i)
			end := rawEnd(object, colon+1)
			if !yield(object[i:colon], object[colon+1:end]) {
				return
			}
			i = end
		}
	}
}

// rawEnd returns where the value that begins at i ends.
func rawEnd(data []byte, i int) int {
	depth := 0
	for ; i < len(data); i++ {
		switch data[i] {
		case '"':
			i = stringEnd(data, i)
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth == 0 {
				return i // of what holds a number, true, false or null
			}
			depth--
		case ',', ':':
			if depth == 0 {
				return i
			}
			continue
		default:
			continue
		}
		if depth == 0 {
			return i + 1
		}
	}
	return i
}

// stringEnd returns the place of the quote that ends the string which begins at i.
func stringEnd(data []byte, i int) int {
	for i++; i < len(data) && data[i] != '"'; i++ {
		if data[i] == '\\' {
			i++
		}
	}
	return i
}

// count returns how many values a sequence yields.
func count(values iter.Seq[[]byte]) int {
	n := 0
	for range values {
		n++
	}
	return n
}

// withoutLoneSurrogates replaces \ud800 and its like where it is not half of a pair: JSON's grammar lets it pass, and
// clients whose strings are Unicode fail on it (RFC 8259 section 8.2).
func withoutLoneSurrogates(data []byte) []byte {
	if !bytes.Contains(data, []byte(`\ud`)) && !bytes.Contains(data, []byte(`\uD`)) {
		return data
	}
	for i := 0; i+1 < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		unit := codeUnit(data, i)
		switch {
		case unit < 0xd800 || unit > 0xdfff:
			i++ // past the escaped character
		case unit < 0xdc00 && codeUnit(data, i+6) >= 0xdc00 && codeUnit(data, i+6) <= 0xdfff:
			i += 11
		default:
			copy(data[i:], `\ufffd`)
			i += 5
		}
	}
	return data
}

// codeUnit returns the UTF-16 code unit of a \uXXXX at i, or -1.
func codeUnit(data []byte, i int) int {
	if i+6 > len(data) || data[i] != '\\' || data[i+1] != 'u' {
		return -1
	}
	unit, err := strconv.ParseUint(string(data[i+2:i+6]), 16, 32)
	if err != nil {
		return -1
	}
	return int(unit)
}
