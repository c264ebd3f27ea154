package duckdb

// memorySteps are the limits of DuckDB's memory. Ordinary rows are written within the
// first. It works on 2,048 rows at a time, and a checkpoint on as many of a table as are
// stored together; if their texts are larger than that, it cannot. What failed for lack of
// memory is done again with the next step, after the file is opened again: its
// configuration is locked.
var memorySteps = [...]string{LeastMemory, "256MB", "1GB"}

// LeastMemory is enough for ordinary rows.
const LeastMemory = "96MB"

// Memory is the memory that a writer may use. It grows if that was too little.
type Memory struct{ step int }

// Limit is the limit for the next session.
func (m *Memory) Limit() string { return memorySteps[m.step] }

// GrowAfter raises the limit if err is due to a lack of memory, and reports whether it did.
func (m *Memory) GrowAfter(err error) bool {
	if m.step+1 == len(memorySteps) || !OutOfMemory(err) {
		return false
	}
	m.step++
	return true
}
