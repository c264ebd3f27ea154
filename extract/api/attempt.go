package api

import "time"

// Attempt is one request that was sent, and what became of it.
type Attempt struct {
	// Endpoint is the path below the base URL, with a placeholder for an id.
	Endpoint string
	Status   int // of the answer; 0 if there was none
	Started  time.Time
	Took     time.Duration // the answer's body included
	// Retry: the same request was sent before, without success.
	Retry bool
}

// template is the endpoint without ids: the same for every policy.
func (c *call) template() string {
	if len(c.segments) == 3 && c.segments[0] == "policy" {
		return display([]string{"policy", "{policyId}", c.segments[2]})
	}
	return display(c.segments)
}
