package config

import (
	"os"
	"path/filepath"
)

// resolve makes a relative path of the file one below the file's folder. A variable
// stays relative to the working directory, as is usual there.
//
// Releases up to 0.1 meant the working directory in both cases. What they left there
// must not be passed over in silence: the next run would begin anew elsewhere.
func (d *decoder) resolve(f field, path string) (resolved, complaint string) {
	if path == "" || filepath.IsAbs(path) || d.config.Path == "" {
		return path, ""
	}
	resolved = filepath.Join(filepath.Dir(d.config.Path), path)
	former, formerErr := filepath.Abs(path)
	now, nowErr := filepath.Abs(resolved)
	if formerErr == nil && nowErr == nil && former != now && inUse(former) && !inUse(now) {
		complaint = "is now relative to the folder of this file, and what is in use is in the working directory: write " +
			f.name() + ": " + former + " to keep it, or " + f.name() + ": " + now + " to start anew"
	}
	return resolved, complaint
}

// inUse reports a file that is there, or a folder in which a run has worked.
func inUse(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return err == nil
	}
	for _, made := range []string{"state", "flashback.duckdb", "lake"} {
		if _, err := os.Stat(filepath.Join(path, made)); err == nil {
			return true
		}
	}
	return false
}
