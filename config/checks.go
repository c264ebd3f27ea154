package config

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // time zones also where the system has none, as in distroless images
	"unicode"
	"unicode/utf8"

	"github.com/robfig/cron/v3"
)

// check says what is wrong with a text, by the name of a check in a tag, and what
// to write instead. No check repeats the text: people paste tokens into the wrong
// places.
func check(name, text string) string {
	checks := map[string]func(string) string{
		"": checkLine, "path": checkLine,
		"base_url": checkBaseURL, "command": checkCommand, "link": checkLink, "listen": checkListen,
		"schedule": checkSchedule, "schedule_or_off": checkScheduleOrOff, "tables": checkTables, "timezone": checkTimezone, "user": checkUser, "variable": checkVariable, "view_name": checkViewName,
	}
	return checks[name](text)
}

func matches(pattern, text string) bool { return regexp.MustCompile(pattern).MatchString(text) }

// checkLine is for ids, names and paths: one line, as it will be sent.
func checkLine(text string) string {
	switch {
	case !utf8.ValidString(text):
		return "is not UTF-8"
	case strings.ContainsFunc(text, unicode.IsControl):
		return "has a line break or another control character, write it without"
	case strings.TrimSpace(text) != text:
		return "has a space at its start or end, write it without"
	}
	return ""
}

// checkCommand allows a script of several lines.
func checkCommand(text string) string {
	switch {
	case !utf8.ValidString(text):
		return "is not UTF-8"
	case strings.ContainsRune(text, 0):
		return "has a NUL character, write it without"
	case strings.TrimSpace(text) == "":
		return "is an empty command, write one"
	}
	return ""
}

func checkVariable(text string) string {
	if !matches(`^[A-Za-z_][A-Za-z0-9_]*$`, text) {
		return "is not the name of an environment variable, write one such as " +
			defaultTokenEnv + " (the name, never the token itself)"
	}
	return ""
}

// checkBaseURL lets nothing through that could carry a secret or send the
// token in clear.
func checkBaseURL(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" || u.Hostname() == "" {
		return "is not a URL, write one such as https://backend.flashback.tech"
	}
	port, err := strconv.Atoi(u.Port())
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return "must start with https://"
	case u.User != nil:
		return "must have no user name or password, the token is found through token_env, token_file or token_command"
	case strings.ContainsAny(text, "?#"):
		return "must end before any ? or #"
	case u.Port() != "" && (err != nil || port < 1 || port > 65535):
		return "has a port that is not 1 to 65535"
	case slices.ContainsFunc(strings.Split(u.Path, "/"), isDots):
		return "must have no . or .. in its path"
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return "would send the token in clear, write https:// (http is for localhost only)"
	}
	return checkLine(text)
}

func isDots(segment string) bool { return segment == "." || segment == ".." }

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && address.Unmap().IsLoopback()
}

// checkSchedule accepts what the scheduler can run. Its parser panics on some
// texts, which is a problem of the text here.
func checkSchedule(text string) (complaint string) {
	const example = `write five fields such as "0 2 * * *", or "@every 5m"`
	defer func() {
		if recover() != nil {
			complaint = "is not a cron expression, " + example
		}
	}()
	if strings.HasPrefix(text, "TZ=") || strings.HasPrefix(text, "CRON_TZ=") {
		return "must name no time zone, write that under schedule.timezone"
	}
	schedule, err := cron.ParseStandard(text)
	if err != nil {
		return "is not a cron expression, " + example
	}
	if every, ok := strings.CutPrefix(text, "@every "); ok {
		if pause, err := time.ParseDuration(every); err != nil || pause < time.Second {
			return "must pause for a second or more, write @every 5m"
		}
	}
	if schedule.Next(time.Unix(0, 0).UTC()).IsZero() {
		return "is a date that never comes, " + example
	}
	return ""
}

// off is a schedule of nothing. An environment variable needs it: there an empty
// text counts as not set.
const off = "off"

func checkScheduleOrOff(text string) string {
	if text == off {
		return ""
	}
	return checkSchedule(text)
}

func checkTimezone(text string) string {
	if _, err := time.LoadLocation(text); err != nil {
		return "is not a time zone, write UTC or a name such as Europe/Berlin"
	}
	return ""
}

func checkListen(text string) string {
	const example = "write host:port such as 127.0.0.1:8417"
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return "is not an address, " + example
	}
	if number, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(number, 10) != port {
		return "has a port that is not 0 to 65535, " + example
	}
	if strings.ContainsAny(host, "/@ ") {
		return "has a host that is not a name or an address, " + example
	}
	return checkLine(host)
}

// checkUser is for a user name in an Authorization header.
func checkUser(text string) string {
	if strings.Contains(text, ":") {
		return "has a colon, write it without"
	}
	return checkLine(text)
}

// checkLink is for a URL that people open.
func checkLink(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return "is not a URL without a password, write one such as https://status.example.com"
	}
	return checkLine(text)
}
