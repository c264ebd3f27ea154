// Package apisim is a seeded simulator of the five endpoints of the Flashback policy API,
// for the demo and the tests. It serves, over real HTTP, the alerts and violations of an
// organisation that it makes up.
//
// It answers as the reference documents. Where the reference is silent, [Semantics] picks
// one of the possible behaviours; a client has to work with all of them. [Sim.Inject]
// scripts faults: resets, hangs, broken bodies, refusals.
//
// Where the reference is vague and no switch decides: take above 100, below 1 or
// not a number is a 400, as is a negative skip and a date that cannot be read; a
// date without a time is its midnight in UTC, and an empty parameter is none.
// The answer echoes take as it was requested. A known repo in a workspace
// without access, and an unknown workspace, give an empty list. Rows of
// one timestamp are listed last inserted first. List endpoints show rows dated
// in the future, statistics do not. Paths that are no endpoint get a 404 in HTML.
//
// The same [Options] and the same calls give the same rows, however the time is cut into
// calls of [Sim.Advance]. Every answer is one consistent read of the rows that [Sim.Rows]
// returns at that moment. Rows change only through the methods of Sim.
package apisim
