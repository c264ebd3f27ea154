// Package transform turns raw JSON records into Arrow rows by a table's schema.
//
// It is pure: no I/O, no clock. A record becomes a row, or a reject that keeps
// its text and says why; it never becomes a row whose values differ from what
// the source sent.
//
// What is decided for doubtful input:
//   - Text is kept exactly, "" included; null and a missing field are NULL. NUL
//     characters are kept.
//   - Integers may be written as 12.0 or 1.2e1 if the value is exact. Beyond
//     int64 they are rejected, never rounded.
//   - Timestamps: see package instant. One that cannot be read rejects the record.
//   - A known field of the wrong type, a repeated field, invalid UTF-8 and lone
//     surrogates reject the record.
//   - Unknown fields are kept in extra, name and value exactly as sent.
package transform
