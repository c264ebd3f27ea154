package main

/*
#cgo linux LDFLAGS: -lstdc++
#cgo darwin LDFLAGS: -lc++
#include <unistd.h>

// std::set_terminate, by the name that C++ gives it.
void (*_ZSt13set_terminatePFvvE(void (*handler)(void)))(void);

static void disk_failed(void) {
	static const char line[] =
		"flashback-sync: the disk failed in the middle of a write, and DuckDB gave up\n"
		"  check the disk under data_dir; what was committed is kept, and the next run goes on from there\n";
	if (write(2, line, sizeof line - 1) < 0) {
	}
	_exit(6);
}

static void exit_when_duckdb_gives_up(void) { _ZSt13set_terminatePFvvE(disk_failed); }
*/
import "C"

// When a sync of its log fails and the log cannot be cut back either, DuckDB
// throws where nothing can catch it, and the process would be aborted with a
// trace and no exit code of ours. What it had committed is in the file.
func exitWhenDuckDBGivesUp() { C.exit_when_duckdb_gives_up() }
