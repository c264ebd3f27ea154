// Package hashset keeps a set of 64-bit hashes on disk: all that were ever added to
// it. Its question is whether hashes that are new were there before, and answering
// takes little of either memory or time, however many the set holds: some 10,000 new
// ones are looked for among ten millions in tens of milliseconds.
//
// The set is a few runs: files of hashes in order, none of which is in two of them.
// What is added becomes a run of its own, and runs of like size are merged, so there
// are never more than some twenty. A hash is looked for where it would lie if the
// hashes of a run were spread evenly, which they are, so that a block or two are read.
//
// A set is what its mark says: the files' names, which are never used again, and how
// many hashes each holds. Every block carries a checksum that only its place in this
// file has. What does not match is an error: the set is of no use and made anew from
// what it was made of. It may hold more than it should after a crash, and never less
// than its mark says.
package hashset
