package duckdb

import "C" // allocator_linux.c sets up the C library's allocator
