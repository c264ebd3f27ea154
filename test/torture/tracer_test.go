//go:build linux && amd64

package torture

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// call is a system call that changes something below a folder.
type call struct {
	name string // of the system call: openat means one that creates
	path string // below the folder, that of a rename's target; "." is the folder
	from string // of a rename: what is renamed
}

func (c call) String() string { return strings.TrimSpace(c.name + " " + c.path + " " + c.from) }

// verdict is what becomes of a call.
type verdict struct {
	kill  bool          // the process is killed when it is about to make the call
	half  bool          // with kill: a write gets half of its bytes, then the process is killed
	errno syscall.Errno // the call is not made and fails with this error
}

// traced runs the program under our eyes. decide is asked about every call that
// changes something below data_dir, in the order in which they are made.
func (w *world) traced(decide func(call) verdict, args ...string) result {
	w.t.Helper()
	done := make(chan result, 1)
	go func() {
		// A tracer is a thread. It is not unlocked, and so ends with this goroutine.
		runtime.LockOSThread()
		tr := &tracer{w: w, decide: decide, after: map[int]func(){}}
		r, err := tr.run(args)
		if err != nil {
			w.t.Errorf("trace the program: %v", err)
		}
		done <- r
	}()
	return <-done
}

// tracer follows all threads of one process from system call to system call.
type tracer struct {
	w      *world
	decide func(call) verdict
	pid    int
	after  map[int]func() // what to do when a thread's call is done
}

const (
	syscallStop = syscall.SIGTRAP | 0x80
	options     = syscall.PTRACE_O_TRACESYSGOOD | syscall.PTRACE_O_TRACECLONE | syscall.PTRACE_O_TRACEFORK |
		syscall.PTRACE_O_TRACEVFORK | syscall.PTRACE_O_TRACEEXEC | 0x100000 // PTRACE_O_EXITKILL
	ownChildren = 0x20000000 // __WNOTHREAD: leave other threads' children to them
)

func (tr *tracer) run(args []string) (result, error) {
	stderr, err := os.CreateTemp(tr.w.dir, "stderr")
	if err != nil {
		return result{}, err
	}
	defer stderr.Close()
	began := time.Now()
	command := tr.w.command(args...)
	command.Stderr = stderr
	command.SysProcAttr = &syscall.SysProcAttr{Ptrace: true, Setpgid: true}
	if err := command.Start(); err != nil {
		return result{}, err
	}
	tr.pid = command.Process.Pid
	defer func() { _ = command.Process.Release() }()
	hung := time.AfterFunc(patience, func() { _ = syscall.Kill(tr.pid, syscall.SIGKILL) })
	defer hung.Stop()
	status, err := tr.follow()
	text, readErr := os.ReadFile(stderr.Name())
	return result{code: status.ExitStatus(), stderr: string(text), took: time.Since(began)}, errors.Join(err, readErr)
}

// follow resumes the threads until the process has ended.
func (tr *tracer) follow() (status syscall.WaitStatus, err error) {
	attached := false
	for {
		// Of our group alone: this thread may have started others' processes before
		// it became a tracer, and would take their end away from them.
		thread, err := syscall.Wait4(-tr.pid, &status, syscall.WALL|ownChildren, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return status, err
		case status.Exited() || status.Signaled():
			if thread == tr.pid {
				return status, nil
			}
			continue
		}
		if !attached {
			attached = true
			if err := syscall.PtraceSetOptions(thread, options); err != nil {
				return status, err
			}
		}
		// A thread that was killed meanwhile is gone when it is to be resumed.
		if err := syscall.PtraceSyscall(thread, tr.stop(thread, status)); err != nil && !errors.Is(err, syscall.ESRCH) {
			return status, err
		}
	}
}

// stop deals with a stop and gives the signal to hand on.
func (tr *tracer) stop(thread int, status syscall.WaitStatus) (signal int) {
	switch at := status.StopSignal(); {
	case at == syscallStop:
		tr.syscall(thread)
		return 0
	case at == syscall.SIGTRAP || at == syscall.SIGSTOP: // a new thread, or the program's beginning
		return 0
	default:
		return int(at)
	}
}

// info is the kernel's struct ptrace_syscall_info, for an entry.
type info struct {
	op     uint8 // 1 at the entry, 2 at the exit
	_      [3]uint8
	_      uint32
	_, _   uint64
	number uint64
	args   [6]uint64
	_      uint64
}

func (tr *tracer) syscall(thread int) {
	var i info
	const getSyscallInfo = 0x420e
	if _, _, errno := syscall.Syscall6(syscall.SYS_PTRACE, getSyscallInfo, uintptr(thread), unsafe.Sizeof(i), uintptr(unsafe.Pointer(&i)), 0, 0); errno != 0 {
		return
	}
	if i.op == 2 {
		if after := tr.after[thread]; after != nil {
			delete(tr.after, thread)
			after()
		}
		return
	}
	c, ours := tr.recognise(thread, i)
	if !ours {
		return
	}
	switch v := tr.decide(c); {
	case v.half:
		tr.change(thread, func(r *syscall.PtraceRegs) { r.Rdx /= 2 })
		tr.after[thread] = tr.kill
	case v.kill:
		tr.kill()
	case v.errno != 0:
		tr.change(thread, func(r *syscall.PtraceRegs) { r.Orig_rax = ^uint64(0) })
		tr.after[thread] = func() {
			tr.change(thread, func(r *syscall.PtraceRegs) { r.Rax = -uint64(v.errno) })
		}
	}
}

func (tr *tracer) kill() { _ = syscall.Kill(tr.pid, syscall.SIGKILL) }

func (tr *tracer) change(thread int, change func(*syscall.PtraceRegs)) {
	var r syscall.PtraceRegs
	if err := syscall.PtraceGetRegs(thread, &r); err != nil {
		return
	}
	change(&r)
	_ = syscall.PtraceSetRegs(thread, &r)
}

// recognise tells whether a call changes something below data_dir.
func (tr *tracer) recognise(thread int, i info) (c call, ours bool) {
	byDescriptor := map[uint64]string{
		syscall.SYS_WRITE: "write", syscall.SYS_PWRITE64: "pwrite64", syscall.SYS_FSYNC: "fsync", syscall.SYS_FDATASYNC: "fdatasync",
		syscall.SYS_FTRUNCATE: "ftruncate", syscall.SYS_FALLOCATE: "fallocate",
	}
	const copyFileRange, renameat2 = 326, 316
	var from string
	if name := byDescriptor[i.number]; name != "" {
		c.name, c.path = name, tr.descriptor(i.args[0])
	} else {
		switch i.number {
		case copyFileRange:
			c.name, c.path = "copy_file_range", tr.descriptor(i.args[2])
		case syscall.SYS_OPENAT:
			if i.args[2]&syscall.O_CREAT == 0 {
				return c, false
			}
			c.name, c.path = "openat", tr.named(thread, i.args[0], i.args[1])
		case syscall.SYS_MKDIRAT:
			c.name, c.path = "mkdirat", tr.named(thread, i.args[0], i.args[1])
		case syscall.SYS_UNLINKAT:
			c.name, c.path = "unlink", tr.named(thread, i.args[0], i.args[1])
		case syscall.SYS_UNLINK:
			c.name, c.path = "unlink", tr.text(thread, i.args[0])
		case syscall.SYS_RENAMEAT, renameat2:
			from = tr.named(thread, i.args[0], i.args[1])
			c.name, c.path = "rename", tr.named(thread, i.args[2], i.args[3])
		case syscall.SYS_RENAME:
			from = tr.text(thread, i.args[0])
			c.name, c.path = "rename", tr.text(thread, i.args[1])
		default:
			return c, false
		}
	}
	if from != "" {
		c.from, _ = tr.below(from)
	}
	c.path, ours = tr.below(c.path)
	return c, ours
}

// below gives a path relative to data_dir.
func (tr *tracer) below(path string) (string, bool) {
	if path == tr.w.data {
		return ".", true
	}
	return strings.CutPrefix(path, tr.w.data+"/")
}

func (tr *tracer) descriptor(fd uint64) string {
	path, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", tr.pid, int32(fd)))
	return path
}

// named is a path that may be relative to an open folder.
func (tr *tracer) named(thread int, folder, address uint64) string {
	path := tr.text(thread, address)
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(tr.descriptor(folder), path)
}

// text reads the program's memory up to the next zero byte.
func (tr *tracer) text(thread int, address uint64) string {
	var text []byte
	for len(text) < 4096 {
		word := make([]byte, 8)
		n, _ := syscall.PtracePeekData(thread, uintptr(address)+uintptr(len(text)), word)
		before, _, end := bytes.Cut(word[:n], []byte{0})
		text = append(text, before...)
		if end || n == 0 {
			break
		}
	}
	return string(text)
}

// tracing skips a test where no process may be traced.
func tracing(t *testing.T) {
	t.Helper()
	status, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope")
	if scope, _ := strconv.Atoi(strings.TrimSpace(string(status))); err == nil && scope > 2 {
		lacking(t, "processes may not be traced here (kernel.yama.ptrace_scope)")
	}
}
