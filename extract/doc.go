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
// rows that are inserted meanwhile cannot shift anything. A step down is proven
// by the totals: what the first answer counted must be what it gave, plus what
// the next answer counts. Only proven steps are reported as covered.
package extract
