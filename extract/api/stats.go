package api

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// StatsQuery is one request to the statistics endpoint, whose path below the base URL
// is Endpoint. ID, RuleID and APIKeyID may be empty; ID is required unless Scope is org.
type StatsQuery struct {
	Endpoint string

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

// Stats requests statistics. A window that the source refuses gives an
// error of kind Refused.
func (c *Client) Stats(ctx context.Context, q StatsQuery) (*StatsAnswer, error) {
	var parsed *StatsAnswer
	now, err := c.get(ctx, &call{endpoint: q.Endpoint, query: q.parameters(), accept: func(body []byte) (err error) {
		parsed, err = parseStats(body)
		return err
	}})
	if err != nil {
		return nil, err
	}
	parsed.Now = now
	return parsed, nil
}

func parseStats(body []byte) (*StatsAnswer, error) {
	answered, err := readAnswer(body)
	if err != nil {
		return nil, err
	}
	series, err := answered.list("series")
	if err != nil {
		return nil, err
	}
	answer := &StatsAnswer{Summary: answered["summary"].Value, Series: make([][]byte, len(series))}
	for i, point := range series {
		answer.Series[i] = point
	}
	var meta fields // may be missing
	if json.Unmarshal(answered["meta"].Value, &meta, lenient) == nil {
		answer.Start, answer.End = unixTime(meta["start"].Value), unixTime(meta["end"].Value)
	}
	return answer, nil
}

// unixTime is a count of seconds as a time; zero if it is none.
func unixTime(seconds jsontext.Value) time.Time {
	n, err := strconv.ParseInt(string(seconds), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}
