package api

import (
	"cmp"
	"encoding/json"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
)

// MaxTake is the largest page the API gives.
const MaxTake = 100

// Query is a list and the filters it is requested with. Empty fields do not filter.
type Query struct {
	// Endpoint is the list's path below the base URL, as its stream declares it:
	// /policy/alerts.
	Endpoint    string   `json:"-"`
	PolicyPath  string   `json:"policy,omitempty"` // requests the list of this policy: /policy/ID/alerts
	Shown       string   `json:"-"`                // what errors name instead of PolicyPath; "" for that
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

// List is the list's name: the last part of its path, and the field of an answer that
// has its rows.
func (q Query) List() string { return path.Base(q.Endpoint) }

// Path is where the query is sent to, below the base URL, as errors name it.
func (q Query) Path() string { return pathOf(q.Endpoint, q.Policy()) }

// Policy is PolicyPath as errors name it.
func (q Query) Policy() string { return cmp.Or(q.Shown, q.PolicyPath) }

// Template is [Query.Path] with a placeholder for an id: the same for every policy.
func (q Query) Template() string { return templateOf(q.Endpoint, q.PolicyPath) }

// pathOf is the path of an endpoint, or of what it has of one policy.
func pathOf(endpoint, policy string) string {
	if policy == "" {
		return endpoint
	}
	folder, list := path.Split(endpoint)
	return folder + policy + "/" + list
}

func templateOf(endpoint, policy string) string {
	if policy != "" {
		policy = "{policyId}"
	}
	return pathOf(endpoint, policy)
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

func (q Query) parameters(b Bounds, skip, take int) url.Values {
	v := url.Values{}
	if b.From >= MinBound {
		v.Set("from", b.From.Format())
	}
	if b.To < MaxBound {
		v.Set("to", b.To.Format())
	}
	q.filters(v)
	v.Set("take", strconv.Itoa(take))
	if skip > 0 {
		v.Set("skip", strconv.Itoa(skip))
	}
	return v
}

const (
	// MinBound and MaxBound limit what ISO 8601 writes with four digits of a year. A
	// bound below MinBound, or at MaxBound or above, is not sent.
	MinBound = instant.Micros(-62135596800e6)
	MaxBound = instant.Micros(253402300800e6)
)

// Bounds are the parameters from and to of one request.
type Bounds struct{ From, To instant.Micros }
