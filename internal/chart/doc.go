// Package chart draws charts as SVG on the server: no script, no style attribute,
// nothing that is loaded.
//
// A chart is measured in percent of its width and in pixels of its height, so
// that its letters keep their size on a telephone and on paper. Nothing that holds
// something is ever too small to be seen: a bar has a least height, a gap a least
// width. Whoever does not see the picture has its summary, which stands above it,
// and all of its numbers in a table, which is folded below it.
//
// Texts may come from strangers: what does not print is spelled out, and
// html/template escapes the rest.
package chart
