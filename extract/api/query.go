package api

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
)

// MaxTake is the largest page the API gives.
const MaxTake = 100

// List names one of the two kinds of lists.
type List string

const (
	// Alerts are listed by GET /policy/alerts and GET /policy/{policyId}/alerts.
	Alerts List = "alerts"
	// Violations are listed by GET /policy/violations and GET /policy/{policyId}/violations.
	Violations List = "violations"
)

// Query is a list and the filters it is requested with. Empty fields do not filter.
type Query struct {
	List        List     `json:"-"`
	PolicyPath  string   `json:"policy,omitempty"` // requests the by-policy endpoint
	WorkspaceID string   `json:"workspace_id,omitempty"`
	RepoID      string   `json:"repo_id,omitempty"`
	PolicyID    string   `json:"policy_id,omitempty"`
	LLMType     []string `json:"llm_type,omitempty"`
	LLMModel    []string `json:"llm_model,omitempty"`
	Host        []string `json:"host,omitempty"`
	Severity    []string `json:"severity,omitempty"` // violations only
	Block       *bool    `json:"block,omitempty"`    // violations only
}

// Key is the query's filter set as canonical JSON: the name under which the
// ledger keeps its coverage. {} means everything.
func (q Query) Key() string {
	b, err := json.Marshal(q)
	if err != nil { // strings and booleans always marshal
		panic(err)
	}
	return string(b)
}

// Path is the endpoint below the base URL, as errors name it.
func (q Query) Path() string { return display(q.segments()) }

func (q Query) segments() []string {
	if q.PolicyPath != "" {
		return []string{"policy", q.PolicyPath, string(q.List)}
	}
	return []string{"policy", string(q.List)}
}

func (q Query) filters(v url.Values) {
	set := func(name string, values ...string) {
		if joined := strings.Join(values, ","); joined != "" {
			v.Set(name, joined)
		}
	}
	set("workspaceId", q.WorkspaceID)
	set("repoId", q.RepoID)
	set("policyId", q.PolicyID)
	set("llmType", q.LLMType...)
	set("llmModel", q.LLMModel...)
	set("host", q.Host...)
	set("severity", q.Severity...)
	if q.Block != nil {
		set("block", strconv.FormatBool(*q.Block))
	}
}
