package config

import (
	"fmt"
	"slices"
	"strings"
)

// These hold the token and the privacy key unless the file says otherwise.
const (
	defaultTokenEnv = "FLASHBACK_TOKEN"
	defaultKeyEnv   = "FLASHBACK_PRIVACY_KEY"
)

// chooseSecret leaves one of the three ways to find a secret, of which the first names a
// variable. The environment's replaces the file's, whichever it is, and any replaces the
// default.
func (d *decoder) chooseSecret(what, preset string, ways ...*string) {
	byVariable := func(way *string) bool { return d.written[way].byVariable() }
	if slices.ContainsFunc(ways, byVariable) {
		for _, way := range ways {
			if !byVariable(way) {
				d.ignore(way)
			}
		}
	}
	chosen := ""
	for _, way := range ways {
		switch s := d.written[way]; {
		case !s.says():
			*way = ""
		case chosen == "":
			chosen = s.path
		default:
			d.report(s.Position, s.path, fmt.Sprintf("cannot be used with %s, keep one of %[2]s_env, %[2]s_file and %[2]s_command", lastName(chosen), what))
		}
	}
	if chosen == "" {
		*ways[0] = preset
	} else if !d.written[ways[0]].says() {
		d.ignore(ways[0]) // left without a value, beside another way
	}
}

// ignore clears a key that another replaces, and forgets what is wrong with it.
func (d *decoder) ignore(key *string) {
	if s, ok := d.written[key]; ok {
		d.problems = slices.DeleteFunc(d.problems, func(p Problem) bool { return p.Key == s.path })
	}
	*key = ""
	delete(d.written, key)
}

// validatePolicies reports a stream that is narrowed to policies in two ways.
func (d *decoder) validatePolicies(streams map[string]*ListStream) {
	for _, stream := range streams {
		if s := d.written[&stream.Filter.PolicyID]; len(stream.Policies) > 0 && s.says() {
			d.report(s.Position, s.path, "cannot be used with policies, move it there or remove it")
		}
	}
}

// validateSchedules reports schedules of streams that are not synced.
func (d *decoder) validateSchedules(schedules map[string]*string, streams []string) {
	for name, schedule := range schedules {
		if s := d.written[schedule]; s.says() && !slices.Contains(streams, name) {
			d.report(s.Position, s.path, "is for a stream that is not synced, remove it or write "+name+": under streams")
		}
	}
}

// namedStreams are the streams that streamsVariable names. It is for running
// without a file: beside one it would be a second opinion.
func (d *decoder) namedStreams() []string {
	text, _ := d.env(streamsVariable)
	if text == "" {
		return nil
	}
	at := Position{Source: streamsVariable}
	if d.file.node != nil {
		d.report(at, "streams", "names streams only where there is no file, write them in the file")
		return nil
	}
	names := split(text, ",")
	for _, name := range names {
		if !slices.Contains(streamNames(), name) {
			d.report(at, "streams", "must name "+list(streamNames())+", separated by commas"+didYouMean(name, streamNames()))
			return nil
		}
	}
	return names
}

func (d *decoder) reportNoStream() {
	const nothing = "no stream is named, so nothing would be synced, "
	if d.file.node == nil {
		d.report(Position{}, "streams", nothing+"set "+streamsVariable+"="+strings.Join(streamNames(), ","))
		return
	}
	at := d.file.Position
	if s, ok := d.sections["streams"]; ok {
		at = s.Position
	}
	d.report(at, "streams", nothing+"write "+strings.Join(streamNames(), ":, ")+": or some of them under streams:")
}
