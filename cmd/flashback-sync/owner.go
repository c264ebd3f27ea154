package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// refuseRoot refuses to write as root in a data_dir of somebody else: the files would
// be root's, and the runs of its owner would end with 6 from then on.
func (a *app) refuseRoot(dataDir string) error {
	owner, foreign := foreignOwner(os.Geteuid(), dataDir)
	if !foreign {
		return nil
	}
	name := userName(owner)
	return &hinted{
		usage(fmt.Errorf("data_dir %s belongs to %s, and this is root, whose files %s could not replace", dataDir, name, name)),
		"use: " + a.asUser(name),
	}
}

// foreignOwner is who owns a data_dir, or what runs have made in it, if that is not
// root and the process is.
func foreignOwner(euid int, dataDir string) (uid int, foreign bool) {
	if euid != 0 {
		return 0, false
	}
	for _, path := range []string{dataDir, filepath.Join(dataDir, "state")} {
		if uid, known := ownerOf(path); known && uid != 0 {
			return uid, true
		}
	}
	return 0, false
}

// asUser is the command that was given, for another user to run.
func (a *app) asUser(name string) string {
	words := []string{"sudo", "-u", name}
	var keep []string
	for _, variable := range os.Environ() {
		if key, _, _ := strings.Cut(variable, "="); strings.HasPrefix(key, "FLASHBACK_") {
			keep = append(keep, key)
		}
	}
	if len(keep) > 0 { // sudo hands no others on
		words = append(words, "--preserve-env="+strings.Join(keep, ","))
	}
	words = append(append(words, "flashback-sync"), a.args...)
	if path, _ := a.path(); a.configPath == "" {
		if path, err := filepath.Abs(path); err == nil {
			words = append(words, "--config", path)
		}
	}
	for i, word := range words {
		if !plainWord.MatchString(word) {
			words[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// plainWord needs no quotes in a shell.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:=,@%+-]+$`)
