package routes

import (
	"fmt"
	"slices"
	"strings"
)

// suggest returns the hint of a word that is none of known: the nearest one,
// or all if there are few, or what to do if there are none.
func suggest(word string, known []string, otherwise string) string {
	if near := nearest(word, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(known) == 0 || len(known) > 20 {
		return otherwise
	}
	known = slices.Sorted(slices.Values(known))
	return "known are " + strings.Join(known, ", ")
}

// nearest returns the known word that word was most likely meant to be, or "".
func nearest(word string, known []string) string {
	best, bestAt := "", 1+max(1, len(word)/3)
	for _, k := range slices.Sorted(slices.Values(known)) {
		if strings.EqualFold(k, word) || plain(k) == plain(word) {
			return k
		}
		if d := distance(word, k, bestAt); d < bestAt {
			best, bestAt = k, d
		}
	}
	if best == "" && len(word) >= 3 {
		for _, k := range known {
			if strings.HasPrefix(k, word) || len(k) >= 3 && strings.HasPrefix(word, k) {
				return k
			}
		}
	}
	return best
}

func plain(word string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(word))
}

// distance is the least number of letters to insert, delete, replace or swap
// with their neighbour (Damerau-Levenshtein, restricted), or limit if it is
// not below that.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit || len(a) > 64 || len(b) > 64 {
		return limit
	}
	var before, last, row [65]int
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return min(last[len(b)], limit)
}
