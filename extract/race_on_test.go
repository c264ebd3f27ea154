//go:build race

package extract

// underRace: the race detector makes everything ten times slower, so that the
// largest counts are left to the runs without it.
const underRace = true
