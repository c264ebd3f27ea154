package run

// WriteInTurn keeps every write of a run in the thread that runs it.
func WriteInTurn() { inTurn = true }
