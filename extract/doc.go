// Package extract reads the Flashback API: the client, and the walks that page
// through a stretch of time without losing a row.
//
// It knows HTTP, authentication, retries, rate and paging, and nothing of tables.
// It yields pages: the raw JSON of the records as the API sent them, and the
// intervals of time that are proven complete once the records of this page and
// of all pages before it are stored.
//
// A walk asks for [from, to] and gets the newest rows of it; the next question
// ends just above the oldest row it got. Every answer is one consistent read, so
// rows that are inserted meanwhile cannot shift anything. Only proven steps are
// reported as covered, and it takes two things to prove one:
//
//   - The bounds must not be narrower than they were asked. A source that cuts
//     them down to seconds or dates leaves no trace of that in an answer, so the
//     grain it honours is found out before anything is asked in it (see grains),
//     and all bounds are drawn to it with room for their own instant.
//   - The totals must add up: what an answer counted is what it gave, plus what
//     the next one counts.
//
// Where rows share a timestamp, or the source knows only dates, pages are asked
// for by skip, under proofs of their own (see skipThrough).
package extract
