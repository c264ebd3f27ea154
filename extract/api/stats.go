package api

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// StatsQuery is one request to the statistics endpoint. ID, RuleID and APIKeyID
// may be empty; ID is required unless Scope is org.
type StatsQuery struct {
	Scope, ID, Window, Bucket, RuleID, APIKeyID string
}

// StatsAnswer is its answer, with the records as they were sent.
type StatsAnswer struct {
	Start, End time.Time // of the range, by the answer's meta (UTC); zero if it says nothing
	Now        time.Time // the source's clock
	Summary    []byte
	Series     [][]byte
}

func (q StatsQuery) parameters() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{
		"scope": q.Scope, "id": q.ID, "window": q.Window, "timeBucketSize": q.Bucket, "ruleId": q.RuleID, "apiKeyId": q.APIKeyID,
	} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return v
}

var statsPath = []string{"v2", "stats", "policies"}

// Stats requests statistics. A window that the source refuses gives an
// error of kind Refused.
func (c *Client) Stats(ctx context.Context, q StatsQuery) (*StatsAnswer, error) {
	var parsed *StatsAnswer
	now, err := c.get(ctx, statsPath, q.parameters(), func(body []byte) (err error) {
		parsed, err = parseStats(body)
		return err
	})
	if err != nil {
		return nil, err
	}
	parsed.Now = now
	return parsed, nil
}

func parseStats(body []byte) (*StatsAnswer, error) {
	answer, found := &StatsAnswer{}, false
	err := readAnswer(bytes.TrimPrefix(body, byteOrderMark), func(name string, d *jsontext.Decoder) (err error) {
		switch name {
		case "meta":
			err = answer.readMeta(d)
		case "summary":
			var value jsontext.Value
			value, err = d.ReadValue()
			answer.Summary = value.Clone()
		case "series":
			found, answer.Series = true, nil // the last of several counts
			err = readArray(d, func(value jsontext.Value) { answer.Series = append(answer.Series, value.Clone()) })
		default:
			err = d.SkipValue()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, errors.New(`the answer lacks "series"`)
	}
	return answer, nil
}

// readMeta reads start and end, both Unix seconds, if they are there.
func (a *StatsAnswer) readMeta(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		return d.SkipValue()
	}
	return readObject(d, func(name string, d *jsontext.Decoder) error {
		value, err := d.ReadValue()
		seconds, parseErr := strconv.ParseInt(string(value), 10, 64)
		switch {
		case err != nil || parseErr != nil:
		case name == "start":
			a.Start = time.Unix(seconds, 0).UTC()
		case name == "end":
			a.End = time.Unix(seconds, 0).UTC()
		}
		return err
	})
}
