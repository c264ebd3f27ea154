package config

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Password is the page's password, "" if there is none.
func (s Serve) Password(env func(string) (string, bool)) (string, error) {
	return secretFrom("serve.password_file", s.PasswordFile, s.PasswordEnv, env)
}

// PingURL is the URL that runs ping, "" if there is none. It is a secret.
func (a Alarms) PingURL(env func(string) (string, bool)) (string, error) {
	return secretURL("alarms.ping_url", a.PingURLFile, a.PingURLEnv, env)
}

// WebhookURL is where alarms are sent to, "" if nowhere. It is a secret.
func (a Alarms) WebhookURL(env func(string) (string, bool)) (string, error) {
	return secretURL("alarms.webhook_url", a.WebhookURLFile, a.WebhookURLEnv, env)
}

// secretURL never repeats what it found, nor where.
func secretURL(key, file, variable string, env func(string) (string, bool)) (string, error) {
	text, err := secretFrom(key+"_file", file, variable, env)
	if err != nil || text == "" {
		return "", err
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("%s: it is not an http(s) URL", key)
	}
	return text, nil
}

// secretFrom reads the file if one is named, else the variable. One that is not
// set holds no secret; a file that is empty is a mistake.
func secretFrom(key, file, variable string, env func(string) (string, bool)) (string, error) {
	if file == "" {
		value, _ := env(variable)
		return strings.TrimSpace(value), nil
	}
	text, err := readToken(file)
	switch text = strings.TrimSpace(text); {
	case err != nil:
	case text == "":
		err = errors.New("it is empty")
	case len(text) > maxToken:
		err = errTooLong
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	return text, nil
}
