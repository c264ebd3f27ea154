package apisim

import "math"

// Organisation is the fixed part of the simulated world: who and what the rows
// refer to. Its lists begin with those that cause the most rows.
type Organisation struct {
	ID         string
	Workspaces []Workspace
	Repos      []Repo
	Policies   []Policy
	Users      []User
	APIKeys    []APIKey
}

// Workspace groups repos. Without Access its data is never listed, and asking
// for it gives an empty list.
type Workspace struct {
	ID, Name string
	Access   bool
}

// Repo belongs to one workspace; WorkspaceID is "" for those a test made up.
type Repo struct{ ID, Name, WorkspaceID string }

// Policy has one to three rules; statistics can be narrowed to one of them.
type Policy struct {
	ID, Name string
	RuleIDs  []string
}

// User is a member of the organisation.
type User struct{ ID, Name string }

// APIKey is a repo's key for one provider.
type APIKey struct{ ID, Name, RepoID, LLMType string }

// model is what a request was sent to.
type model struct{ llmType, name, host string }

// world is the organisation as the generator and the encoder need it.
type world struct {
	Organisation
	seed uint64

	policyOf, repoOf, userOf wheel
	keysOf                   [][]uint16    // by repo
	modelsOf                 [][]uint8     // by key
	ownRepos                 int           // repos beyond these were added by tests
	sentences                [2][][]string // by stream and policy
}

// wheel maps a random number to a place in a list, the first ones most often.
type wheel []uint16

// newWheel follows Zipf's law: the nth has a share of 1/n^steepness.
func newWheel(n int, steepness float64) (w wheel) {
	const size = 4096
	sum := 0.0
	for i := range n {
		sum += math.Pow(float64(i+1), -steepness)
	}
	reached := 0.0
	for i := range n {
		reached += math.Pow(float64(i+1), -steepness) / sum
		for len(w) < size && float64(len(w)) < reached*size {
			w = append(w, uint16(i))
		}
	}
	return w
}

func (w wheel) spin(x uint64) uint16 { return w[x%uint64(len(w))] }

func newWorld(seed uint64) *world {
	w := &world{seed: seed}
	w.ID = w.entityID(0, 0)
	w.addWorkspaces()
	w.addPolicies()
	for i, name := range userNames {
		w.Users = append(w.Users, User{ID: w.entityID(5, i), Name: name})
	}
	d := newDice(seed, purposeOrganisation, 0)
	w.addKeys(&d)
	w.policyOf = newWheel(len(w.Policies), 1.0)
	w.repoOf = newWheel(w.ownRepos, 0.9)
	w.userOf = newWheel(len(w.Users), 0.8)
	return w
}

func (w *world) entityID(kind uint64, n int) string {
	return idOf(w.seed, classEntity+kind, uint64(n))
}

// addWorkspaces adds workspaces and their repos, one of them without access.
func (w *world) addWorkspaces() {
	for i, name := range workspaceNames {
		w.Workspaces = append(w.Workspaces, Workspace{ID: w.entityID(1, i), Name: name, Access: true})
	}
	for i, name := range repoNames {
		home := w.Workspaces[i%len(w.Workspaces)]
		w.Repos = append(w.Repos, Repo{ID: w.entityID(2, i), Name: name, WorkspaceID: home.ID})
	}
	w.ownRepos = len(w.Repos)
	closed := Workspace{ID: w.entityID(1, len(workspaceNames)), Name: closedWorkspace}
	w.Workspaces = append(w.Workspaces, closed)
	w.Repos = append(w.Repos, Repo{ID: w.entityID(2, len(w.Repos)), Name: closedRepo, WorkspaceID: closed.ID})
}

func (w *world) addPolicies() {
	for i, topic := range topics {
		policy := Policy{ID: w.entityID(3, i), Name: topic.policy}
		for rule := range 1 + i%3 {
			policy.RuleIDs = append(policy.RuleIDs, w.entityID(4, 3*i+rule))
		}
		w.Policies = append(w.Policies, policy)
		w.sentences[0] = append(w.sentences[0], combine(alertPatterns, topic.subjects))
		w.sentences[1] = append(w.sentences[1], combine(violationPatterns, topic.subjects))
	}
}

// addKeys gives every repo one to three keys and every key its provider's models.
func (w *world) addKeys(d *dice) {
	for repo := range w.ownRepos {
		var keys []uint16
		for n := range 1 + d.intn(3) {
			provider := providers[(d.intn(6)+n)%len(providers)]
			stage := keyStages[d.intn(len(keyStages))]
			keys = append(keys, uint16(len(w.APIKeys)))
			w.APIKeys = append(w.APIKeys, APIKey{
				ID: w.entityID(6, len(w.APIKeys)), Name: stage + " " + provider.name + " Key",
				RepoID: w.Repos[repo].ID, LLMType: provider.llmType,
			})
			w.modelsOf = append(w.modelsOf, modelsOfType(provider.llmType))
		}
		w.keysOf = append(w.keysOf, keys)
	}
}

func modelsOfType(llmType string) (places []uint8) {
	for i, m := range models {
		if m.llmType == llmType {
			places = append(places, uint8(i))
		}
	}
	return places
}
