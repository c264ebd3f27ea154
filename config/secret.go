package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
)

// maxSecret bounds what is read from a file or a command, in bytes.
const maxSecret = 64 << 10

var errTooLong = errors.New("it is longer than 64 KiB")

// secret says where one is: the first of these that is named. Errors hold neither the
// secret nor anything that could be it: not the name of a variable or file, not the
// command, not the command's output.
type secret struct{ key, command, file, variable string }

// read returns the text as it is there, and the key that says where.
func (s secret) read(ctx context.Context, env func(string) (string, bool)) (text, key string, err error) {
	switch {
	case s.command != "":
		text, err = runCommand(ctx, s.command, commandTimeout)
		return text, s.key + "_command", err
	case s.file != "":
		data, err := readSome(s.file, maxSecret+2)
		return string(data), s.key + "_file", withoutPath(err)
	}
	text, ok := env(s.variable)
	switch {
	case ok:
	case s.variable == defaultTokenEnv:
		err = errors.New("the environment variable " + defaultTokenEnv + " is not set")
	default:
		err = errors.New("the environment variable it names is not set")
	}
	return text, s.key + "_env", err
}

// optional is the secret without white space around it. A variable that is not set, or
// blank, holds none; a file or a command must give one.
func (s secret) optional(ctx context.Context, env func(string) (string, bool)) (string, error) {
	text, key, err := s.read(ctx, env)
	text = strings.TrimSpace(text)
	switch {
	case s.command+s.file == "":
		return text, nil
	case err != nil:
	case text == "":
		err = errors.New("it is empty")
	case len(text) > maxSecret:
		err = errTooLong
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	return text, nil
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

// Key is the key of hashes and pseudonyms, nil if there is none.
func (p Privacy) Key(ctx context.Context, env func(string) (string, bool)) ([]byte, error) {
	text, err := secret{"privacy.key", p.KeyCommand, p.KeyFile, p.KeyEnv}.optional(ctx, env)
	if err != nil {
		return nil, fmt.Errorf("get the privacy key: %w", err)
	}
	if text == "" {
		return nil, nil
	}
	return []byte(text), nil
}

// Password is the page's password, "" if there is none.
func (s Serve) Password(env func(string) (string, bool)) (string, error) {
	return secret{"serve.password", "", s.PasswordFile, s.PasswordEnv}.optional(context.Background(), env)
}

// PingURL is the URL that runs ping, "" if there is none. It is a secret.
func (a Alarms) PingURL(env func(string) (string, bool)) (string, error) {
	return secret{"alarms.ping_url", "", a.PingURLFile, a.PingURLEnv}.url(env)
}

// WebhookURL is where alarms are sent to, "" if nowhere. It is a secret.
func (a Alarms) WebhookURL(env func(string) (string, bool)) (string, error) {
	return secret{"alarms.webhook_url", "", a.WebhookURLFile, a.WebhookURLEnv}.url(env)
}

func (s secret) url(env func(string) (string, bool)) (string, error) {
	text, err := s.optional(context.Background(), env)
	if err != nil || text == "" {
		return "", err
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("%s: it is not an http(s) URL", s.key)
	}
	return text, nil
}

// TokenSource finds the token the way the configuration says, anew at every call: a
// variable or a file is read, a command is run with the program's environment. One line
// break and one space at the end of the token are dropped.
func (a API) TokenSource(env func(string) (string, bool)) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		text, key, err := secret{"api.token", a.TokenCommand, a.TokenFile, a.TokenEnv}.read(ctx, env)
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
	case len(text) > maxSecret:
		return "", errTooLong
	}
	return text, nil
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
