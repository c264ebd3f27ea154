//go:build race

package race

// Enabled: this binary was built with the race detector.
const Enabled = true
