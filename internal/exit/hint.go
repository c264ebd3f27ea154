package exit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"

	"github.com/flashback-sync/flashback-sync/extract"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/erasure"
	"github.com/flashback-sync/flashback-sync/internal/forgotten"
	"github.com/flashback-sync/flashback-sync/internal/privacy"
	"github.com/flashback-sync/flashback-sync/internal/query"
	"github.com/flashback-sync/flashback-sync/internal/visible"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// Hint says what to do about an error, "" if nothing is known.
func Hint(err error) string {
	var (
		hint    *hinted
		damaged *duckdb.DamagedError
		storage *duckdb.StorageError
		policy  *privacy.Changed
		key     *forgotten.KeyMissing
		limit   *query.LimitError
	)
	switch {
	case errors.As(err, &hint):
		return hint.hint
	case errors.As(err, &policy):
		return policyHint(policy)
	case errors.As(err, &key):
		return "restore the privacy key " + key.KeyID + ": privacy.key_env, key_file or key_command"
	case errors.Is(err, forgotten.ErrNoKey):
		return "put a random key, such as openssl rand -hex 32 prints, into a variable, name it in privacy.key_env, and keep a copy: every later run needs it"
	case errors.As(err, &damaged) && damaged.Newer:
		return "nothing is wrong with the file: run the release that wrote it, or a later one"
	case errors.As(err, &damaged):
		return "the file was left as it is; 'flashback-sync repair --rebuild' makes it again from the lake and fetches what is missing"
	case errors.Is(err, load.ErrLocked):
		return "wait until it is done; nothing was requested from the API"
	case errors.As(err, &storage):
		return storageHint(storage)
	case errors.Is(err, audit.ErrNothingStored):
		return "'flashback-sync sync' makes it"
	case errors.Is(err, erasure.ErrLeft):
		return "remove or repair what is named, and run it again"
	case errors.As(err, &limit):
		return limitHints[limit.Limit]
	}
	kind := api.KindOf(err)
	switch kind {
	case api.None:
		return ""
	case api.Unauthorized:
		return "check the token: api.token_env, token_file or token_command in the configuration; 'flashback-sync check' tries it"
	case api.Unreachable:
		return "check api.base_url and the network; what was committed is kept, and the next run goes on from there"
	case api.NotFound:
		return "check api.base_url and the ids in the filters; 'optional: true' accepts a stream that is not served"
	}
	if errors.Is(err, extract.ErrIgnored) {
		return "see that no proxy or cache in front of the API drops the query of an address, or report it to who runs the API"
	}
	if kind == api.Refused || kind == api.OffContract {
		return "'flashback-sync check --show-answers' prints how such an answer begins, which may be personal data"
	}
	return ""
}

// limitHints are by the limit that a query reached.
var limitHints = map[string]string{
	"time":   "narrow the query with WHERE, or allow more with --timeout",
	"memory": "narrow the query with WHERE or aggregate first, or allow more with --memory-limit",
	"spill":  "look for a join without a condition, or allow more with --spill-limit; TMPDIR names another place for it",
}

// policyHint says how what is stored can obey the policy again.
func policyHint(err *privacy.Changed) string {
	const otherwise = "restore the former policy and key, or set data_dir to a new folder"
	if err.Possible {
		return "'flashback-sync sync --apply-privacy' rewrites what is stored, which cannot be undone; or " + otherwise
	}
	return "what is stored cannot be turned into this: " + otherwise
}

// storageHint says what to do about a disk or database that refused, by its cause.
func storageHint(err *duckdb.StorageError) string {
	const safe = "; committed data is safe, and the next run goes on from there"
	switch err.Cause() {
	case duckdb.CauseFull:
		return "free disk space, or move data_dir to a larger disk" + safe
	case duckdb.CausePermission:
		return permissionHint(err) + safe
	case duckdb.CauseReadOnly:
		return "the file system is mounted read-only: mount it for writing, or set data_dir to another folder" + safe
	case duckdb.CauseInUse:
		return "another program has the file open for writing: close it there, and open it read-only"
	case duckdb.CauseNotOurs:
		return "'flashback-sync repair' publishes it again"
	case duckdb.CauseDisk:
		return "the disk fails: look at the kernel's log, and move data_dir to another disk" + safe
	case duckdb.CauseMemory:
		return "free memory, or raise the memory limit of the container or unit" + safe
	case duckdb.CauseUnknown:
	}
	return "check data_dir, its disk and its permissions" + safe
}

// permissionHint names who may and who may not: the owner of the file, or of the nearest
// folder above it that can be seen.
func permissionHint(err error) string {
	path := pathOf(err)
	owner, known := OwnerOf(path)
	for ; !known && path != filepath.Dir(path); owner, known = OwnerOf(path) {
		path = filepath.Dir(path)
	}
	switch shown := visible.Short(path, 300); {
	case path == "" || !known:
		return "change the permissions of data_dir"
	case owner == os.Geteuid():
		return fmt.Sprintf("%s is yours, and its mode forbids it: change the mode (chmod)", shown)
	default:
		return fmt.Sprintf("%s belongs to %s, you are %s: run it as %[2]s, or change the owner", shown, UserName(owner), UserName(os.Geteuid()))
	}
}

// quotedPath is a path as DuckDB quotes it.
var quotedPath = regexp.MustCompile(`"(/[^"]*)"`)

// pathOf is the file that an error is about, "" if it names none.
func pathOf(err error) string {
	var file *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &file):
		return file.Path
	case errors.As(err, &link):
		return filepath.Dir(link.New)
	}
	if quoted := quotedPath.FindStringSubmatch(err.Error()); quoted != nil {
		return quoted[1]
	}
	return ""
}

// OwnerOf is the user id that a file belongs to.
func OwnerOf(path string) (uid int, known bool) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	return int(info.Sys().(*syscall.Stat_t).Uid), true
}

// UserName is the name of a user, or its number.
func UserName(uid int) string {
	if known, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return known.Username
	}
	return "#" + strconv.Itoa(uid)
}
