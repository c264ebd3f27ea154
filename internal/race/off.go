//go:build !race

// Package race tells tests whether the race detector is on. It makes everything several
// times slower, so that tests of many rows, many runs or many kills leave it to others.
package race

// Enabled: this binary was built with the race detector.
const Enabled = false
