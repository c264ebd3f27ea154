package exit

import (
	"os"
	"os/user"
	"strconv"
	"syscall"
)

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
