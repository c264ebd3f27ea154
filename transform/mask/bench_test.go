package mask_test

import (
	"strings"
	"testing"

	"github.com/flashback-sync/flashback-sync/transform/mask"
)

func BenchmarkText(b *testing.B) {
	prose := strings.Repeat("The assistant was asked to summarise the quarterly report, and blocked the answer by policy. ", 50)
	log := strings.Repeat("2024-11-30T10:30:00.123Z INFO req=123e4567-e89b-12d3-a456-426614174000 user=48291 status=200 bytes=512 took=1034ms\n", 9)
	for _, text := range []struct{ name, text string }{
		{"nothing-200B", prose[:200]},
		{"nothing-4kB", prose[:4096]},
		{"email-200B", prose[:180] + " bob@example.com now"},
		{"log-1kB", log[:1000]},
	} {
		b.Run(text.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text.text)))
			sent := []byte(text.text)
			for b.Loop() {
				mask.Text(sent)
			}
		})
	}
}

func BenchmarkJSON(b *testing.B) {
	for _, value := range []struct{ name, value string }{
		{"nothing", `{"model":"gpt-4","latencyMs":1034,"tags":["a","b"],"region":"eu-central-1","note":"The answer was blocked by policy"}`},
		{"email", `{"model":"gpt-4","latencyMs":1034,"tags":["a","b"],"user":"bob@example.com","note":"The answer was blocked by policy"}`},
	} {
		b.Run(value.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(value.value)))
			sent := []byte(value.value)
			for b.Loop() {
				if _, err := mask.JSON(sent); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
