//go:build race

package extract

// underRace: the race detector makes everything ten times slower, so that the
// largest counts, and most cases of large tables, are left to the run without it.
const underRace = true
