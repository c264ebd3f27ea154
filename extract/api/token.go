package api

import (
	"context"
	"errors"
	"strings"
	"sync"
	"unicode"
)

// tokens remembers the token, so that its source, which may be a command, is
// used once a run and once more for each token that was refused.
type tokens struct {
	source Token
	mu     sync.Mutex
	token  string
	spent  map[string]bool // refused, and another was requested
}

// get returns a token other than the refused one, or the same if the source has
// no other; refused is "" at first. When several requests are refused together,
// only the first renews the token.
func (t *tokens) get(ctx context.Context, refused string) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token != "" && (refused != t.token || t.spent[refused]) {
		return t.token, nil
	}
	token, err := t.source(ctx)
	if refused != "" && (err == nil || ctx.Err() == nil) {
		t.spent[refused] = true
	}
	if err != nil {
		return "", err
	}
	if token == "" || strings.ContainsFunc(token, unicode.IsControl) {
		return "", errors.New("the token is empty or has control characters in it")
	}
	t.token = token
	return token, nil
}
