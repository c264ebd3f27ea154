// Package notify tells people and their monitors how runs end: it pings a
// healthchecks-style URL at the start and end of every job, and posts to a
// Slack-compatible webhook when a job begins to fail, or a stream begins to lag,
// and when that is over.
//
// A webhook hears of transitions only, and once a day that a failure lasts. What
// was told stands in state/alarms.json, which changes under a lock and only after
// the message was taken: whoever runs at once tells once, and what could not be
// told is told by the next run. A message may come twice, where an answer was
// lost, rather than not at all.
//
// Nothing here changes how a run ends. Both URLs are secrets: no error of this
// package tells one, nor any part of it, nor what its server answered.
package notify
