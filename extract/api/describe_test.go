package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

// personal is what no error may quote, nor any four letters of it.
const personal = "jane.doe-Kwjzqx"

func quotesPersonal(text string) bool {
	for i := range len(personal) - 3 {
		if strings.Contains(text, personal[i:i+4]) {
			return true
		}
	}
	return false
}

// TestErrorsQuoteNothingOfAnAnswer, whichever part of the answer is bad.
func TestErrorsQuoteNothingOfAnAnswer(t *testing.T) {
	plain := func(body string) string { return "Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body }
	answers := map[string]string{
		"status line":      "HTTP/1.1 400 " + personal + "\r\n" + plain(personal),
		"no status line":   personal + "\r\n\r\n",
		"no status":        "HTTP/1.1 " + personal + "\r\n\r\n",
		"no header":        "HTTP/1.1 200 OK\r\n" + personal + "\r\n\r\n",
		"a header of two":  "HTTP/1.1 200 OK\r\nX Name: " + personal + "\r\n\r\n",
		"length":           "HTTP/1.1 200 OK\r\nContent-Length: " + personal + "\r\n\r\n",
		"two lengths":      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4" + personal + "\r\n\r\n",
		"encoding":         "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + personal + "\r\n\r\n",
		"chunk":            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + personal + "\r\n",
		"trailer":          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n0\r\n" + personal + "\r\n\r\n",
		"gzip":             "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" + plain(personal),
		"Location":         "HTTP/1.1 302 No\r\nLocation: http://%zz/" + personal + "\r\n" + plain(personal),
		"cookie":           "HTTP/1.1 500 No\r\nSet-Cookie: " + personal + "=" + personal + "\r\n" + plain(personal),
		"content type":     "HTTP/1.1 500 No\r\nContent-Type: " + personal + "/x; charset=" + personal + "\r\n" + plain(personal),
		"Retry-After":      "HTTP/1.1 429 No\r\nRetry-After: " + personal + "\r\n" + plain(personal),
		"Date":             "HTTP/1.1 500 No\r\nDate: " + personal + "\r\n" + plain(personal),
		"protocols":        "HTTP/1.1 101 " + personal + "\r\nUpgrade: " + personal + "\r\nConnection: Upgrade\r\n\r\n" + personal,
		"an early hint":    "HTTP/1.1 103 " + personal + "\r\nLink: " + personal + "\r\n\r\nHTTP/1.1 500 No\r\n" + plain(personal),
		"Content-Encoding": "HTTP/1.1 200 OK\r\nContent-Encoding: " + personal + "\r\n" + plain(personal),
	}
	for _, status := range []int{204, 206, 400, 401, 403, 404, 409, 418, 429, 500, 503, 599} {
		answers[fmt.Sprint(status)] = fmt.Sprintf("HTTP/1.1 %d No\r\n", status) + plain(`{"success":false,"message":"`+personal+`","error_code":"`+personal+`"}`)
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := listen(t, func(conn net.Conn) {
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					_, _ = io.WriteString(conn, answer)
				}
			})
			quotesNothing(t, "http://"+address)
		})
	}
}

// TestErrorsQuoteNothingOfABadPage: cut off anywhere, spoilt anywhere, of the wrong shape.
func TestErrorsQuoteNothingOfABadPage(t *testing.T) {
	row := `{"id":"` + personal + `","timestamp":"2026-03-18T12:00:00.000Z","` + personal + `":"` + personal + `"}`
	page := `{"success":true,"alerts":[` + row + `],"violations":[` + row + `],"` + personal + `":1,"total":1,"series":[` + row + `],"meta":{"start":1,"end":2}}`
	bodies := []string{
		"", personal, `"` + personal + `"`, `["` + personal + `"]`, page + personal, page + page, "<html>" + personal, "\xef\xbb\xbf" + personal,
		"\x1f\x8b" + personal, `{"success":false,"message":"` + personal + `"}`, `{"success":false,"` + personal + `":1`, `{"` + personal + `":1}`,
		`{"success":true,"alerts":"` + personal + `","total":1}`, `{"success":true,"alerts":{"` + personal + `":1},"total":1}`,
		`{"success":true,"alerts":[],"total":"` + personal + `"}`, `{"success":true,"alerts":[],"total":{"` + personal + `":1}}`,
		`{"success":true,"series":"` + personal + `"}`, `{"success":true,"series":{"` + personal + `":` + personal + `}}`,
	}
	for at := range len(page) {
		bodies = append(bodies, page[:at], page[:at]+"\x01"+page[at:], page[:at]+personal+page[at:], page[:at]+`"`+page[at:])
	}
	for _, body := range bodies {
		for _, err := range []error{parseError(parsePage([]byte(body), "alerts")), parseError(parseStats([]byte(body)))} {
			if err != nil && quotesPersonal(err.Error()) {
				t.Fatalf("%s: %v", body, err)
			}
		}
	}
	for _, body := range bodies[:16] {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		quotesNothing(t, server.URL)
		server.Close()
	}
}

func parseError[T any](_ T, err error) error { return err }

// quotesNothing requests every endpoint, and wants errors and warnings without a word of
// the answers.
func quotesNothing(t *testing.T, url string) {
	t.Helper()
	var reported []string
	client := dialURL(t, url, func(o *Options) { o.Warn = func(message string) { reported = append(reported, message) } })
	client.http.Transport.(*http.Transport).DisableCompression = false
	client.http.Transport.(*http.Transport).DisableKeepAlives = true
	_, stats := client.Stats(context.Background(), StatsQuery{Endpoint: "/v2/stats/policies", Scope: "org", Window: "24h", Bucket: "1h"})
	for _, err := range []error{peekAt(client), stats} {
		if err == nil {
			t.Error("no error")
			continue
		}
		reported = append(reported, err.Error())
	}
	for _, text := range reported {
		if quotesPersonal(text) {
			t.Errorf("quoted: %s", text)
		}
	}
}

func TestAByteOrderMarkIsNoPartOfTheJSON(t *testing.T) {
	page, err := parsePage([]byte("\xef\xbb\xbf"+`{"success":true,"alerts":[{"id":"a"}],"total":1}`), "alerts")
	if err != nil || len(page.Rows) != 1 || string(page.Rows[0].Raw) != `{"id":"a"}` {
		t.Errorf("%+v, %v", page, err)
	}
	stats, err := parseStats([]byte("\xef\xbb\xbf" + ` {"success":true,"series":[{"ts":1}],"meta":{"start":1,"end":2}}`))
	if err != nil || len(stats.Series) != 1 || stats.Start.Unix() != 1 {
		t.Errorf("%+v, %v", stats, err)
	}
	if _, err := parsePage([]byte("\xef\xbb\xbf\xef\xbb\xbf{}"), "alerts"); err == nil {
		t.Error("two marks are read")
	}
}
