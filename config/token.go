package config

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// TokenSource hands out the token. refresh says that the last one was refused,
// so that a command is run again. It may be called by several goroutines.
//
// Its errors hold neither the token nor anything that could be it: not the
// name of a variable or file, not the command, not the command's output.
type TokenSource func(ctx context.Context, refresh bool) (string, error)

// maxToken bounds what is read from a file or a command, in bytes.
const maxToken = 64 << 10

// TokenSource finds the token the way the configuration says. A variable and a
// file are read again at every call. A command is run at the first call and
// whenever refresh is true, with what the program runs with as environment;
// callers that ask while it runs share its answer.
//
// One line break and one space at the end of the token are dropped.
func (a API) TokenSource(env func(string) (string, bool)) TokenSource {
	switch {
	case a.TokenCommand != "":
		return checked("api.token_command", newCommand(a.TokenCommand).token)
	case a.TokenFile != "":
		return checked("api.token_file", func(context.Context, bool) (string, error) {
			return readToken(a.TokenFile)
		})
	}
	return checked("api.token_env", func(context.Context, bool) (string, error) {
		return a.lookUp(env)
	})
}

// Warnings are sentences about settings that work but should not stay: a token
// file that others on the machine can read.
func (a API) Warnings() []string {
	if a.TokenFile == "" {
		return nil
	}
	info, err := os.Stat(a.TokenFile)
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o044 == 0 {
		return nil
	}
	return []string{fmt.Sprintf("api.token_file: others on this machine can read the file (mode %04o), run chmod 600 on it", info.Mode().Perm())}
}

// checked names the key in errors and refuses what cannot be sent.
func checked(key string, source TokenSource) TokenSource {
	return func(ctx context.Context, refresh bool) (string, error) {
		text, err := source(ctx, refresh)
		if err == nil {
			text, err = cleanToken(text)
		}
		if err != nil {
			return "", fmt.Errorf("get the token (%s): %w", key, err)
		}
		return text, nil
	}
}

// cleanToken leaves what a header may have: visible ASCII.
func cleanToken(text string) (string, error) {
	text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	text = strings.TrimSuffix(text, " ")
	switch {
	case text == "":
		return "", errors.New("it is empty")
	case strings.Contains(text, " "):
		return "", errors.New("it has a space in it, leave out words such as Bearer")
	case strings.ContainsAny(text, "\r\n"):
		return "", errors.New("it has several lines, it must be one")
	case strings.ContainsFunc(text, func(r rune) bool { return r < '!' || r > '~' }):
		return "", errors.New("it has characters that cannot be sent in a header")
	case len(text) > maxToken:
		return "", errTooLong
	}
	return text, nil
}

var errTooLong = errors.New("it is longer than 64 KiB")

func (a API) lookUp(env func(string) (string, bool)) (string, error) {
	text, ok := env(a.TokenEnv)
	switch {
	case ok:
		return text, nil
	case a.TokenEnv == defaultTokenEnv:
		return "", errors.New("the environment variable " + defaultTokenEnv + " is not set")
	}
	return "", errors.New("the environment variable it names is not set")
}

func readToken(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", withoutPath(err)
	}
	defer func() { _ = file.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(file, maxToken+2))
	return string(data), withoutPath(err)
}

// withoutPath drops the name from a file's error: a token pasted in the place
// of a path must not come back in it.
func withoutPath(err error) error {
	var failure *fs.PathError
	if errors.As(err, &failure) {
		return fmt.Errorf("%s the file: %w", failure.Op, failure.Err)
	}
	return err
}
