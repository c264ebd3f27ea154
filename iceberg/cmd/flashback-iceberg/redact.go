package main

import (
	"io"
	"strings"
)

// redactor writes text without secrets: libraries quote addresses in their errors.
type redactor struct {
	to       io.Writer
	replacer *strings.Replacer
}

// hide names the secrets. Very short ones are left alone: they would tear up every word.
func (r *redactor) hide(secrets []string) {
	var pairs []string
	for _, secret := range secrets {
		if len(secret) > 3 {
			pairs = append(pairs, secret, "***")
		}
	}
	r.replacer = strings.NewReplacer(pairs...)
}

func (r *redactor) Write(p []byte) (int, error) {
	if r.replacer == nil {
		return r.to.Write(p)
	}
	if _, err := r.replacer.WriteString(r.to, string(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}
