// Package notify tells people and their monitors how runs end: it pings a
// healthchecks-style URL at the start and end of every job, and posts to a
// Slack-compatible webhook when a job begins to fail, or a stream begins to lag,
// and when that is over.
//
// A webhook gets transitions only, and one message a day while a failure lasts.
// state/alarms.json records what was sent. It changes under a lock, and only after
// the message was accepted: of several processes one sends, and the next run sends
// what could not be sent. A message may arrive twice, where an answer was lost,
// rather than not at all.
//
// Nothing here changes how a run ends. Both URLs are secrets: no error of this
// package contains one, nor any part of it, nor what its server answered.
package notify
