// Package crash ends the process with exit code 1 when a goroutine panics. Left to
// itself the Go runtime exits with 2, which is a wrong configuration here, and prints
// the value of the panic, which may be somebody's data.
package crash

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Exit is what each goroutine of ours defers first; a test looks that it does. It is
// also deferred where a library calls us in a goroutine of its own.
func Exit() {
	if p := recover(); p != nil {
		fmt.Fprint(os.Stderr, "flashback-sync: "+Report(p))
		os.Exit(1)
	}
}

// Report describes a panic, with where it happened and without any value. It is called
// by the deferred function that recovered.
func Report(p any) string {
	var text strings.Builder
	if known, ok := p.(runtime.Error); ok { // its text has types and indices only
		fmt.Fprintf(&text, "internal error: %v\n", known)
	} else {
		fmt.Fprintf(&text, "internal error: a panic with a %T\n", p)
	}
	text.WriteString("  report it with this trace, which contains no values\n")
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers)])
	for {
		frame, more := frames.Next()
		fmt.Fprintf(&text, "  %s %s:%d\n", frame.Function, frame.File, frame.Line)
		if !more {
			return text.String()
		}
	}
}
