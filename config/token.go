package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// maxToken bounds what is read from a file or a command, in bytes.
const maxToken = 64 << 10

// TokenSource finds the token the way the configuration says, anew at every call: a
// variable or a file is read, a command is run with the program's environment.
//
// One line break and one space at the end of the token are dropped. Errors hold neither
// the token nor anything that could be it: not the name of a variable or file, not the
// command, not the command's output.
func (a API) TokenSource(env func(string) (string, bool)) func(context.Context) (string, error) {
	switch {
	case a.TokenCommand != "":
		return checked("api.token_command", func(ctx context.Context) (string, error) {
			return runCommand(ctx, a.TokenCommand, commandTimeout)
		})
	case a.TokenFile != "":
		return checked("api.token_file", func(context.Context) (string, error) {
			return readToken(a.TokenFile)
		})
	}
	return checked("api.token_env", func(context.Context) (string, error) {
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
func checked(key string, source func(context.Context) (string, error)) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		text, err := source(ctx)
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
	data, err := readSome(path, maxToken+2)
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
