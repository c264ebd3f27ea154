package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// naive is the script that one writes first: page by skip, one request after the
// other, one INSERT a row. It publishes nothing and could not be interrupted.
func (l *lab) naive(ctx context.Context) error {
	s, err := l.history(ctx, l.Rows)
	if err != nil {
		return err
	}
	l.say("the naive script")
	file := filepath.Join(l.dir, "naive.duckdb")
	result, _, err := do[naiveRun](ctx, "naive", naiveSpec{URL: s.simulator.status.URL, Path: file, Rows: l.Rows / 50, Most: 20 * time.Second})
	if err := firstError(err, os.Remove(file)); err != nil {
		return err
	}
	rate := func(rows int64, took time.Duration) float64 { return float64(rows) / took.Seconds() }
	l.report.ratio("naive", "rows/s of the full sync, with publishing / the naive script",
		rate(s.filled.rows(), s.filled.Wall), rate(result.Answer.Rows, result.Answer.Took), unitRate, atLeast(30))
	return nil
}

type naiveSpec struct {
	URL, Path string
	Rows      int           // enough
	Most      time.Duration // to go on
}

type naiveRun struct {
	Rows int64
	Took time.Duration
}

type naiveAlert struct {
	ID, PolicyID, PolicyName, Timestamp, Message, RepoID, RepoName, UserID, UserName string

	RepoAIAPIKeyID                          string `json:"repoAiApiKeyId"`
	RepoAIAPIKeyName                        string `json:"repoAiApiKeyName"`
	ConversationID, LLMType, LLMModel, Host *string
}

func syncNaively(ctx context.Context, spec naiveSpec) (result naiveRun, err error) {
	db, err := sql.Open("duckdb", spec.Path)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(ctx, `CREATE TABLE alerts (id TEXT, policy_id TEXT, policy_name TEXT, timestamp TIMESTAMPTZ, message TEXT,
		conversation_id TEXT, repo_id TEXT, repo_name TEXT, user_id TEXT, user_name TEXT, repo_ai_api_key_id TEXT, repo_ai_api_key_name TEXT,
		llm_type TEXT, llm_model TEXT, host TEXT)`)
	if err != nil {
		return result, err
	}
	began := time.Now()
	for skip := 0; ; skip += 100 {
		alerts, err := naivePage(ctx, fmt.Sprintf("%s/policy/alerts?take=100&skip=%d", spec.URL, skip))
		if err != nil {
			return result, err
		}
		for _, a := range alerts {
			_, err := db.ExecContext(ctx, "INSERT INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
				a.ID, a.PolicyID, a.PolicyName, a.Timestamp, a.Message, a.ConversationID, a.RepoID, a.RepoName, a.UserID, a.UserName,
				a.RepoAIAPIKeyID, a.RepoAIAPIKeyName, a.LLMType, a.LLMModel, a.Host)
			if err != nil {
				return result, err
			}
			result.Rows++
		}
		result.Took = time.Since(began)
		if len(alerts) == 0 || result.Rows >= int64(spec.Rows) || result.Took > spec.Most {
			return result, nil
		}
	}
}

func naivePage(ctx context.Context, url string) ([]naiveAlert, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var page struct{ Alerts []naiveAlert }
	return page.Alerts, json.NewDecoder(answer.Body).Decode(&page)
}
