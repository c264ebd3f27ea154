package extract

import (
	"context"
	"sync"
)

// tokens remembers the token, so that its source, which may be a command, is
// asked once a run and once more for each token that was refused.
type tokens struct {
	source Token
	mu     sync.Mutex
	token  string
	known  bool
}

// get returns a token other than the refused one; refused is "" at first. When
// several requests are refused together, only the first renews the token.
func (t *tokens) get(ctx context.Context, refused string) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known && (refused == "" || refused != t.token) {
		return t.token, nil
	}
	token, err := t.source(ctx, t.known)
	if err != nil {
		return "", err
	}
	t.token, t.known = token, true
	return token, nil
}
