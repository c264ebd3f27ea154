package crash_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flashback-sync/flashback-sync/internal/crash"
)

const canary = "Ada Lovelace pasted a customer list"

// TestMain is the process that panics, where the environment says so.
func TestMain(m *testing.M) {
	panics := map[string]func(){
		"an error": func() { panic(errors.New(canary)) },
		"a string": func() { panic(canary) },
		"a nil map": func() {
			none := map[bool]map[string]int{}
			none[true][canary] = 1
		},
		"an index": func() { _ = []byte(canary)[len(os.Args)+100] },
	}
	if panics[os.Getenv("CRASH_WITH")] == nil {
		os.Exit(m.Run())
	}
	go func() {
		defer crash.Exit()
		panics[os.Getenv("CRASH_WITH")]()
	}()
	select {}
}

func TestAPanicEndsTheProcessWithOneAndNoValue(t *testing.T) {
	for _, with := range []string{"an error", "a string", "a nil map", "an index"} {
		process := exec.CommandContext(t.Context(), os.Args[0])
		process.Env = append(os.Environ(), "CRASH_WITH="+with)
		said, err := process.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 {
			t.Errorf("%s: %v, want exit code 1\n%s", with, err, said)
		}
		if strings.Contains(string(said), "Lovelace") || !strings.Contains(string(said), "internal error: ") || !strings.Contains(string(said), "crash_test.go:") {
			t.Errorf("%s: it says\n%s", with, said)
		}
	}
}

// Every goroutine of the program ends the process by Exit: go statements, the Go methods
// of sync.WaitGroup and errgroup.Group, and timers.
func TestEveryGoroutineIsCovered(t *testing.T) {
	const root = "../.."
	others := []string{"bench", "test", "release", "iceberg", ".git"} // no part of the program
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains(others, entry.Name()) {
			return fs.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if started, starts := inGoroutine(n); starts && !covered(started) {
				t.Errorf("%s: a goroutine without `defer crash.Exit()` as its first statement", files.Position(n.Pos()))
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// inGoroutine is what a node starts in another goroutine.
func inGoroutine(n ast.Node) (started ast.Expr, starts bool) {
	switch n := n.(type) {
	case *ast.GoStmt:
		return n.Call.Fun, true
	case *ast.CallExpr:
		name, method := n.Fun.(*ast.SelectorExpr)
		if !method || len(n.Args) == 0 {
			return nil, false
		}
		switch name.Sel.Name {
		case "Go", "TryGo", "AfterFunc":
			return n.Args[len(n.Args)-1], true
		}
	}
	return nil, false
}

func covered(started ast.Expr) bool {
	literal, ok := started.(*ast.FuncLit)
	if !ok || len(literal.Body.List) == 0 {
		return false
	}
	first, ok := literal.Body.List[0].(*ast.DeferStmt)
	if !ok {
		return false
	}
	name, ok := first.Call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	from, ok := name.X.(*ast.Ident)
	return ok && from.Name == "crash" && name.Sel.Name == "Exit"
}
