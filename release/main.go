// Command release packs what `make release` built, for one platform:
//
//	flashback-sync_VERSION_OS_ARCH.tar.gz        binary, man pages, completions, documents, deploy/
//	flashback-sync_VERSION_OS_ARCH.cdx.json      what the binary consists of (CycloneDX)
//	SHA256SUMS                                   of both
//
// Its invariant: the same commit, binary and Go release make the same bytes,
// wherever and whenever it runs. So every time is SOURCE_DATE_EPOCH, every list is
// sorted, and owners and modes are set here, never taken from the disk.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"time"
)

const usage = `usage: release archive -binary FILE -version V -out DIR   (with SOURCE_DATE_EPOCH)
       release licenses -binary FILE -out FILE`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "release: "+err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, env func(string) string, stdout io.Writer) error {
	if len(args) == 0 {
		return errors.New(usage)
	}
	flags := flag.NewFlagSet("release "+args[0], flag.ContinueOnError)
	binary := flags.String("binary", "", "the built `file`")
	out := flags.String("out", "", "where to write")
	version := flags.String("version", "", "version of the release")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if *binary == "" || *out == "" || flags.NArg() > 0 {
		return errors.New(usage)
	}
	switch args[0] {
	case "archive":
		at, err := sourceDate(env("SOURCE_DATE_EPOCH"))
		if err != nil {
			return err
		}
		if *version == "" {
			return errors.New(usage)
		}
		return archive(ctx, job{root: ".", binary: *binary, version: *version, out: *out, at: at}, stdout)
	case "licenses":
		text, err := licenses(ctx, *binary)
		if err != nil {
			return err
		}
		return os.WriteFile(*out, text, 0o644) //nolint:gosec // where the caller wants it
	}
	return errors.New(usage)
}

// sourceDate is the moment that stands for now, by the convention of
// reproducible builds. There is no default: it would be another one every time.
func sourceDate(text string) (time.Time, error) {
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH is %q, it must be the seconds since 1970 of the commit", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}
