//go:build !linux

package durable

import "os"

func copyAccess(_, _ string, _ os.FileInfo) (same bool) { return true }
