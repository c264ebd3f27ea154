// Package transform turns raw JSON records into Arrow rows by a table's schema.
//
// It is pure: no I/O, no clock. A record becomes a row, or a reject that keeps
// its text and says why; it never becomes a row whose values differ from what
// the source sent.
//
// What is decided for doubtful input:
//   - Text is kept exactly, of any length, "" included; null and a missing field
//     are NULL. NUL characters are kept. Nothing is normalised.
//   - Integers may be written as 12.0 or 1.2e1 if the value is exact. Beyond
//     int64 they are rejected, never rounded.
//   - Timestamps: see package instant. One that cannot be read, or that its offset
//     carries out of the years 1 to 9999, rejects the record.
//   - A known field of the wrong type, a repeated field, and anywhere in the record
//     invalid UTF-8 or an unpaired surrogate, reject the record. So does nesting deeper
//     than 10,000 levels.
//   - Unknown fields are kept in extra, name and value exactly as sent; only the
//     white space between them is dropped. Inside their values, names may repeat.
//   - The raw text of a reject is valid UTF-8 from which every byte can be
//     restored: a byte that is not UTF-8 is written as \xNN, and so is the backslash of
//     a text that looks like such a byte.
package transform
