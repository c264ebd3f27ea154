package transform

import (
	"cmp"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"

	"github.com/flashback-sync/flashback-sync/schema"
)

// Policy says what is stored of each column's values. Batches apply it, so whatever stores
// or compares rows has them the same. A nil Policy keeps everything.
type Policy struct {
	treatments map[string]schema.Treatment // by the columns' paths, without Keep
	secret     []byte                      // nil: there is no key
	hidden     Hidden
}

// MinKey is how many bytes a key has at least.
const MinKey = 16

// NewPolicy checks the treatments, which are by the columns' paths: alerts.user_name. A
// column that is not named is kept. The key may be nil if nothing needs it.
func NewPolicy(treatments map[string]schema.Treatment, key []byte) (*Policy, error) {
	p := &Policy{treatments: map[string]schema.Treatment{}, secret: key}
	if key != nil && len(key) < MinKey {
		return nil, fmt.Errorf("the key has %d bytes, and needs %d", len(key), MinKey)
	}
	for _, c := range schema.Treatable() {
		with, named := treatments[c.Path()]
		if !named || with == schema.Keep {
			continue
		}
		if key == nil && NeedsKey(c, with) {
			return nil, fmt.Errorf("%s: %s needs a key", c.Path(), with)
		}
		p.treatments[c.Path()] = with
	}
	return p, nil
}

// NeedsKey reports whether a treatment of a column needs a key: a dropped reject leaves a
// hash, by which it is known when it comes again.
func NeedsKey(c schema.TableColumn, with schema.Treatment) bool {
	return with == schema.Hash || with == schema.Pseudonym ||
		with == schema.Drop && c.Table.Name == schema.RejectedRecords().Name
}

// Another is a policy with the same key.
func (p *Policy) Another(treatments map[string]schema.Treatment) (*Policy, error) {
	if p == nil {
		return NewPolicy(treatments, nil)
	}
	return NewPolicy(treatments, p.secret)
}

// Only is the policy with only these of its treatments, by path.
func (p *Policy) Only(paths map[string]schema.Treatment) *Policy {
	if p == nil {
		return nil
	}
	some := *p
	some.treatments = maps.Clone(p.treatments)
	maps.DeleteFunc(some.treatments, func(path string, _ schema.Treatment) bool {
		_, named := paths[path]
		return !named
	})
	return &some
}

// Of is the treatment of a column.
func (p *Policy) Of(table, column string) schema.Treatment {
	if p == nil {
		return schema.Keep
	}
	return cmp.Or(p.treatments[table+"."+column], schema.Keep)
}

// HasKey reports whether there is a key.
func (p *Policy) HasKey() bool { return p != nil && p.secret != nil }

// KeyID names the key without revealing it; "" if there is none.
func (p *Policy) KeyID() string {
	if !p.HasKey() {
		return ""
	}
	return hex.EncodeToString(p.derive("key id", 4))
}

// Hash is the HMAC-SHA-256 of a value under the key, in hexadecimal.
func (p *Policy) Hash(value string) string {
	mac := hmac.New(sha256.New, p.secret)
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil))
}

// Value is what is stored of an id or a name in a column; "" stays "".
func (p *Policy) Value(c schema.TableColumn, value string) string {
	switch with := p.Of(c.Table.Name, c.Column.Name); {
	case value == "":
	case with == schema.Hash:
		return p.Hash(value)
	case with == schema.Pseudonym:
		return pseudonym(c.Entity, p.Hash(value))
	}
	return value
}

// pseudonymDigits are the digits of a hash that make a pseudonym: two of 100,000 things
// have the same one with a probability of 1 in 50,000.
const pseudonymDigits = 12

func pseudonym(entity, hash string) string { return entity + "-" + hash[:pseudonymDigits] }

// Seal encrypts a value that is needed for later requests, and may not be stored as it is.
// The same value gives the same text.
func (p *Policy) Seal(value string) string {
	nonce := hmac.New(sha256.New, p.derive("seal nonce", sha256.Size))
	nonce.Write([]byte(value))
	seal := p.cipher()
	prefix := nonce.Sum(nil)[:seal.NonceSize()]
	return base64.StdEncoding.EncodeToString(seal.Seal(prefix, prefix, []byte(value), nil))
}

// Open decrypts what Seal gave.
func (p *Policy) Open(sealed string) (string, error) {
	text, err := base64.StdEncoding.DecodeString(sealed)
	seal := p.cipher()
	if err == nil && len(text) < seal.NonceSize() {
		err = errors.New("it is too short")
	}
	if err == nil {
		text, err = seal.Open(nil, text[:seal.NonceSize()], text[seal.NonceSize():], nil)
	}
	if err != nil {
		return "", fmt.Errorf("decrypt a stored id: %w", err)
	}
	return string(text), nil
}

func (p *Policy) cipher() cipher.AEAD {
	block, err := aes.NewCipher(p.derive("seal", 32))
	if err == nil {
		var seal cipher.AEAD
		if seal, err = cipher.NewGCM(block); err == nil {
			return seal
		}
	}
	panic(err) // the length of the key is right
}

// derive makes a key for another purpose than Hash.
func (p *Policy) derive(purpose string, length int) []byte {
	derived, err := hkdf.Key(sha256.New, p.secret, nil, "flashback-sync "+purpose, length)
	if err != nil { // only a key of enormous length fails
		panic(err)
	}
	return derived
}
