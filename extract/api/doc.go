// Package api is the HTTP client of the Flashback API's five endpoints:
// authentication, retry, rate, and reading what an answer is made of.
//
// A list's answer stays raw: of a record only its id and timestamp are read. How a
// list is read through time is for package extract to know.
package api
