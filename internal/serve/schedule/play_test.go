//go:build unix

package schedule

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// partVariable names the part that the test binary plays.
const partVariable = "SCHEDULE_TEST_PART"

// play is what a child does. It says on its standard error that it is there.
func play(part string) {
	switch part {
	case "exit":
		code, _ := strconv.Atoi(os.Args[1])
		fmt.Println("before")
		fmt.Println(os.Args[2])
		os.Exit(code)
	case "flood":
		line := []byte(strings.Repeat("x", 3<<20) + "\nshort\n")
		for range 60 {
			os.Stdout.Write(line)
		}
		fmt.Println("the last")
	case "complain":
		for range 1000 {
			os.Stderr.Write(bytes.Repeat([]byte("a complaint\n"), 1000))
		}
		fmt.Println("done")
	case "wait":
		signal.Reset()
		fmt.Fprintln(os.Stderr, os.Getpid())
		time.Sleep(time.Minute)
	case "stop cleanly":
		told := make(chan os.Signal, 1)
		signal.Notify(told, syscall.SIGTERM)
		fmt.Fprintln(os.Stderr, os.Getpid())
		<-told
		fmt.Println("stopped")
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
		fmt.Println(syscall.Getpgrp())
	}
	os.Exit(0)
}

// zombie reports a process that has ended and whose parent has not taken note.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && bytes.Contains(stat, []byte(") Z "))
}
