//go:build unix

package schedule

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// partVariable names the part that the test binary plays.
const partVariable = "SCHEDULE_TEST_PART"

// play is what a child does. It writes to its standard error when it is there.
func play(part string) {
	switch part {
	case "exit":
		code, _ := strconv.Atoi(os.Args[1])
		os.Exit(code)
	case "wait":
		signal.Reset()
		fmt.Fprintln(os.Stderr, os.Getpid())
		time.Sleep(time.Minute)
	case "stop cleanly":
		stopped := make(chan os.Signal, 1)
		signal.Notify(stopped, syscall.SIGTERM)
		fmt.Fprintln(os.Stderr, os.Getpid())
		<-stopped
		os.Exit(143)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		grandchild := exec.Command(os.Args[0])
		grandchild.Env = append(os.Environ(), partVariable+"=wait")
		grandchild.Stdout, grandchild.Stderr = os.Stdout, os.Stderr // and keeps them open
		if err := grandchild.Start(); err != nil {
			panic(err)
		}
		fmt.Fprintln(os.Stderr, os.Getpid())
		time.Sleep(time.Minute)
	case "group":
		fmt.Fprintln(os.Stderr, syscall.Getpgrp())
	}
	os.Exit(0)
}

// zombie reports a process that has ended and whose parent has not reaped it.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && bytes.Contains(stat, []byte(") Z "))
}
