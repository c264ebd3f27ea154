// Package extract reads a paged list, newest first, through a range of time without
// losing a row.
//
// It knows time, paging and proof; requests are sent by extract/api, and of tables it
// knows nothing. It yields pages: the raw JSON of the records as the API sent them,
// and the intervals of time that are proven complete once the records of this page
// and of all pages before it are stored.
//
// A walk requests [from, to] and gets the newest rows of it; the next request ends
// just above the oldest row it got. Every answer is one consistent read, so
// rows that are inserted meanwhile cannot shift anything. Only proven steps are
// reported as covered, and it takes two things to prove one:
//
//   - The bounds must not be narrower than requested. A source that cuts them down to
//     seconds or dates leaves no trace of that in an answer, so its resolution is found
//     out first (see resolution.go), and all bounds are drawn to it with room for their
//     own instant.
//   - The totals must add up: the total of an answer is what only it gave, plus the
//     total of the next one.
//
// Where more rows than a page share a timestamp, or a day of a source that knows only
// dates, pages are requested by skip, under proofs of their own (see skipThrough).
package extract
