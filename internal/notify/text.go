package notify

import (
	"strings"
	"unicode"
)

// Bounds in characters of what comes from outside.
const (
	mostName  = 80
	mostError = 1000
)

// clean makes one line of a text from outside: no control characters, none that
// change the direction of writing or show nothing, and not too many.
func clean(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r) || unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Cf, r):
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(text, string(unicode.ReplacementChar)))
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// escaper is for texts in messages: Slack's own three, and an @ that calls nobody.
// Slack reads <!channel> as a call, Mattermost and Discord @all and @everyone.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "@\u200b")

// escape cleans a text for a message.
func escape(text string, most int) string { return escaper.Replace(clean(text, most)) }

// quote shows a text from outside as it is: between backticks nothing in it is
// taken for formatting or becomes a link with another name.
func quote(text string, most int) string {
	return "`" + strings.ReplaceAll(escape(text, most), "`", "'") + "`"
}
