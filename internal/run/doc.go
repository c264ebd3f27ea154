// Package run does one run: it plans, extracts, transforms, loads and publishes every
// stream. It is the only place that knows all stages; the stages do not know each other.
//
// A run takes the lock, publishes what a crash left unpublished, reads each
// stream in turn, and publishes what changed. One stream's failure never stops
// the others; trouble with the disk stops all of them.
//
// Invariant: of every stream,
// received = inserted + updated + unchanged + duplicate + rejected.
package run
