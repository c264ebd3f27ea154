package chart

// Glyphs distinguish things without colour: outlines around the origin, 10 wide.
const (
	Check    = "M-5.2.3-3.5-1.5-1.4.6 3.6-4.5 5.3-2.9-1.4 4.1Z"
	Triangle = "M-5.5-4.5H5.5L0 5Z"
	Diamond  = "M0-5.8 5.8 0 0 5.8-5.8 0Z"
	Ring     = "M-5.2 0a5.2 5.2 0 1 0 10.4 0a5.2 5.2 0 1 0-10.4 0ZM-2.6 0a2.6 2.6 0 1 1 5.2 0a2.6 2.6 0 1 1-5.2 0Z"
	Plus     = "M-1.6-5.2h3.2v3.6h3.6v3.2h-3.6v3.6h-3.2v-3.6h-3.6v-3.2h3.6Z"
	Dash     = "M-5-1.2H5V1.2H-5Z"
	Cross    = "M-5-3-3-5 0-2 3-5 5-3 2 0 5 3 3 5 0 2-3 5-5 3-2 0Z"
	Clock    = "M-5.4 0a5.4 5.4 0 1 0 10.8 0a5.4 5.4 0 1 0-10.8 0ZM-3.4 0a3.4 3.4 0 1 1 6.8 0a3.4 3.4 0 1 1-6.8 0ZM-.8-2.6h1.6v2.2l1.7 1.2-.9 1.3-2.4-1.7Z"
	Disc     = "M-4.6 0a4.6 4.6 0 1 0 9.2 0a4.6 4.6 0 1 0-9.2 0Z"
)
