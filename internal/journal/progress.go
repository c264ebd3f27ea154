package journal

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/flashback-sync/flashback-sync/load/durable"
)

const progressFile = "state/progress.json"

// progressLine is the file's content.
type progressLine struct {
	*Progress
	Texts int `json:"texts"`
}

// WriteProgress replaces the progress file.
func WriteProgress(dataDir string, p *Progress) error {
	content, err := json.Marshal(progressLine{p, structural})
	if err != nil {
		return err
	}
	target, err := durable.Place(dataDir, progressFile)
	if err != nil {
		return err
	}
	return durable.Write(target, content)
}

// ReadProgress returns the progress of a run that is under way, or died; nil if
// there is none. See Progress.Alive.
func ReadProgress(dataDir string) (*Progress, error) {
	release, free := unclaimed(dataDir)
	if free {
		defer release()
	}
	p, err := readProgress(dataDir)
	if p != nil {
		p.Died = free
	}
	return p, err
}

func readProgress(dataDir string) (*Progress, error) {
	path, err := durable.Place(dataDir, progressFile)
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // no run is no error
	}
	if err != nil {
		return nil, err
	}
	l := progressLine{Progress: &Progress{}}
	if err := json.Unmarshal(content, &l); err != nil || l.Progress == nil || l.RunID == "" {
		return nil, nil //nolint:nilerr,nilnil // a power cut leaves an empty file
	}
	if l.Texts < structural {
		l.Message = ""
		for i := range l.Streams {
			l.Streams[i].Error = ""
		}
	}
	return l.Progress, nil
}

// EndProgress removes the progress file.
func EndProgress(dataDir string) error {
	err := os.Remove(filepath.Join(dataDir, filepath.FromSlash(progressFile)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// AppendCrashed records the run that left a progress file and was killed. Only the owner
// of the claim calls it.
func AppendCrashed(dataDir string) error {
	left, err := ReadProgress(dataDir)
	if err != nil || left == nil {
		return nil //nolint:nilerr // a file that is not a progress file describes no run
	}
	if err := Append(dataDir, left.Crashed()); err != nil {
		return err
	}
	return EndProgress(dataDir)
}
