// Package apisim is a faithful, seeded simulator of the five endpoints of the
// Flashback policy API. It serves the demo and the tests of the sync tool over
// real HTTP, from an organisation whose life it makes up: policies, repos,
// users, and the alerts and violations they cause.
//
// Three things can be asked of it. It answers as the reference documents. Where
// the reference is silent, [Semantics] picks one of the possible behaviours, so
// that a client can be held to work with all of them. And [Sim.Inject] scripts
// faults: resets, hangs, broken bodies, refusals.
//
// Where the reference is vague and no switch decides: take above 100, below 1 or
// not a number is a 400, as is a negative skip and a date that cannot be read; a
// date without a time is its midnight in UTC, and an empty parameter is none.
// The answer echoes take as it was asked for. A known repo in a workspace
// without access, and a workspace never heard of, give an empty list. Rows of
// one timestamp are listed last inserted first. List endpoints show rows dated
// in the future, statistics do not. Paths that are no endpoint get a 404 in HTML.
//
// Invariants: the same [Options] and the same calls give the same rows, however
// the time is cut into calls of [Sim.Advance]; every list answer and every
// statistics answer is one consistent read of the rows that [Sim.Rows] returns
// at that moment; rows change only through the methods of Sim.
package apisim
