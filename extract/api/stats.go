package api

import (
	"bytes"
	"context"
	"errors"
	"io"
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
	response, err := c.get(ctx, statsPath, q.parameters(), func(body []byte) (err error) {
		parsed, err = parseStats(body)
		return err
	})
	if err != nil {
		return nil, err
	}
	parsed.Now = c.clock(response)
	return parsed, nil
}

func parseStats(body []byte) (*StatsAnswer, error) {
	var envelope struct{ meta, series jsontext.Value }
	answer := &StatsAnswer{}
	d := jsontext.NewDecoder(bytes.NewBuffer(bytes.TrimPrefix(body, byteOrderMark)), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if token, err := d.ReadToken(); err != nil || token.Kind() != '{' {
		return nil, notPage(err)
	}
	for d.PeekKind() == '"' {
		token, err := d.ReadToken()
		if err != nil {
			return nil, notPage(err)
		}
		name := token.String()
		if name == "success" {
			if err := readSuccess(d); err != nil {
				return nil, notPage(err)
			}
			continue
		}
		value, err := d.ReadValue()
		if err != nil {
			return nil, notPage(err)
		}
		switch name {
		case "meta":
			envelope.meta = value.Clone()
		case "summary":
			answer.Summary = value.Clone()
		case "series":
			envelope.series = value.Clone()
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, notPage(err)
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, notPage(errors.New("text after the JSON object"))
	}
	if envelope.series == nil {
		return nil, errors.New(`the answer lacks "series"`)
	}
	answer.Start, answer.End = readRange(envelope.meta)
	series, err := elements(envelope.series)
	answer.Series = series
	return answer, err
}

// readRange reads start and end of the meta, both Unix seconds.
func readRange(meta jsontext.Value) (start, end time.Time) {
	if meta.Kind() != '{' {
		return start, end
	}
	d := jsontext.NewDecoder(bytes.NewReader(meta), jsontext.AllowDuplicateNames(true))
	for _, err := d.ReadToken(); err == nil && d.PeekKind() == '"'; {
		var name jsontext.Token
		if name, err = d.ReadToken(); err != nil {
			break
		}
		key := name.String()
		var value jsontext.Value
		if value, err = d.ReadValue(); err != nil {
			break
		}
		seconds, parseErr := strconv.ParseInt(string(value), 10, 64)
		if parseErr != nil {
			continue
		}
		switch key {
		case "start":
			start = time.Unix(seconds, 0).UTC()
		case "end":
			end = time.Unix(seconds, 0).UTC()
		}
	}
	return start, end
}

func elements(array jsontext.Value) ([][]byte, error) {
	d := jsontext.NewDecoder(bytes.NewReader(array), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if token, err := d.ReadToken(); err != nil || token.Kind() != '[' {
		return nil, errors.New("series is not an array")
	}
	var out [][]byte
	for d.PeekKind() != ']' {
		value, err := d.ReadValue()
		if err != nil {
			return nil, syntax(err)
		}
		out = append(out, value.Clone())
	}
	return out, nil
}
