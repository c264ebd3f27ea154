package snapshots

import (
	"fmt"
	"path"
	"regexp"
	"strconv"
)

// FileName names a data file. The name says of which lake file it is a copy, so that the
// table itself is the cursor: no other record of what was pushed can get lost or disagree
// (ADR 31).
type FileName struct {
	Hash       string // the first 32 digits of the lake file's SHA-256
	Generation int64  // of the manifest that was pushed
	Run        string // the run that wrote it, 12 hexadecimal digits
	Number     int    // of the partition's files
}

var namePattern = regexp.MustCompile(`^([0-9a-f]{32})-g([0-9]{1,18})-([0-9a-f]{12})-([0-9]{5})\.parquet$`)

// ShortHash is the part of a SHA-256 that a file name has.
func ShortHash(sha256 string) string { return sha256[:32] }

func (n FileName) String() string {
	return fmt.Sprintf("%s-g%d-%s-%05d.parquet", n.Hash, n.Generation, n.Run, n.Number)
}

// ParseName reads the name of a data file; a file of another program has no such name.
func ParseName(location string) (FileName, bool) {
	parts := namePattern.FindStringSubmatch(path.Base(location))
	if parts == nil {
		return FileName{}, false
	}
	generation, err := strconv.ParseInt(parts[2], 10, 64)
	if err != nil {
		return FileName{}, false
	}
	number, err := strconv.Atoi(parts[4])
	if err != nil {
		return FileName{}, false
	}
	return FileName{parts[1], generation, parts[3], number}, true
}
