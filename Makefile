# `make demo` and `make test` are all a newcomer needs; `make` alone lists the rest.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GO        ?= go
TAGS      := duckdb_arrow
BIN       := bin/flashback-sync
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS   := -X main.version=$(VERSION)
DIST      ?= dist
RELEASE_BIN ?= $(DIST)/flashback-sync
TOOL      := $(GO) tool -modfile=tools.mod
PKGS      ?= ./...
BENCH     ?= .
BENCHTIME ?= 1s
BENCHARGS ?=
COUNT     ?= 6
OLD       ?= bin/old.txt
NEW       ?= bin/new.txt
FUZZTIME  ?= 10s
CHECKS    ?= 2000
KILLS     ?= 1000

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## Build, then sync a simulated organisation and query it (about a minute)
	$(BIN) demo

.PHONY: test
test: toolchain ## Run every test with the race detector and a real DuckDB, and kill the binary 200 times
	$(GO) test -race -tags $(TAGS) -timeout 20m $$($(GO) list -tags $(TAGS) $(PKGS) | grep -v /test/torture)
	$(GO) test -tags $(TAGS) -timeout 20m ./test/torture

.PHONY: build
build: toolchain ## Build bin/flashback-sync
	$(GO) build -tags $(TAGS) -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/flashback-sync

# The same flags for the archive and the image: no paths, no checkout state, no build
# id, no symbols, so that the bytes follow from the commit, Go and the C++ toolchain.
.PHONY: release-binary
release-binary: toolchain
	$(GO) build -tags $(TAGS) -trimpath -buildvcs=false -ldflags '-s -w -buildid= $(LDFLAGS)' -o $(RELEASE_BIN) ./cmd/flashback-sync

# For this platform only: DuckDB comes as a static library for each, and linking it
# takes that platform's C++ toolchain.
.PHONY: release
release: release-binary ## Archive, checksums and SBOM of this platform, reproducibly (DIST=dist)
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)} \
	  $(GO) run ./release archive -binary $(RELEASE_BIN) -version '$(VERSION)' -out $(DIST)

.PHONY: fmt
fmt: toolchain ## Format the code
	$(TOOL) gofumpt -w .

.PHONY: lint
lint: toolchain ## Check format, vet and lint; writes nothing
	@unformatted=$$($(TOOL) gofumpt -l .); \
	if [ -n "$$unformatted" ]; then printf 'not formatted (make fmt):\n%s\n' "$$unformatted" >&2; exit 1; fi
	$(GO) vet -tags $(TAGS) $(PKGS)
	$(TOOL) golangci-lint run $(PKGS)

.PHONY: bench
bench: toolchain ## Measure everything that has a goal (minutes; BENCHARGS='-only full -json FILE')
	$(GO) run -tags $(TAGS) ./bench $(BENCHARGS)

.PHONY: bench-quick
bench-quick: toolchain ## The same at a small size, to see that everything works
	$(GO) run -tags $(TAGS) ./bench -quick $(BENCHARGS)

.PHONY: bench-micro
bench-micro: toolchain ## Run the Go benchmarks, for benchstat (BENCH=regexp PKGS=./... COUNT=6 NEW=bin/new.txt)
	@mkdir -p $(dir $(NEW))
	$(GO) test -tags $(TAGS) -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -count $(COUNT) -benchmem -timeout 3h $(PKGS) | tee $(NEW)

.PHONY: bench-diff
bench-diff: ## Compare two outputs of bench-micro (OLD=bin/old.txt NEW=bin/new.txt)
	$(TOOL) benchstat $(OLD) $(NEW)

# Every target that exists is found, so a new one cannot be forgotten. Go before
# 1.27 can end a healthy timed run with "context deadline exceeded"
# (go.dev/issue/75804); a real finding always writes its failing input.
.PHONY: fuzz
fuzz: toolchain ## Fuzz every target for FUZZTIME (10s)
	@log=$$(mktemp); trap 'rm -f "$$log"' EXIT; found=0; \
	while read -r pkg file; do \
	  for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$file"); do \
	    found=$$((found + 1)); echo "fuzz $$target in $$pkg"; \
	    if ! $(GO) test -tags $(TAGS) -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$pkg" </dev/null >"$$log" 2>&1; then \
	      if grep -q 'context deadline exceeded' "$$log" && ! grep -q -e 'Failing input written' -e 'panic:' "$$log"; then \
	        echo "  ended at its time limit"; continue; \
	      fi; \
	      cat "$$log"; exit 1; \
	    fi; \
	    grep '^fuzz: elapsed' "$$log" | tail -n 1 | sed 's/^/  /'; \
	  done; \
	done < <($(GO) list -tags $(TAGS) -f '{{$$p := .}}{{range .TestGoFiles}}{{$$p.ImportPath}} {{$$p.Dir}}/{{.}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$$p.ImportPath}} {{$$p.Dir}}/{{.}}{{"\n"}}{{end}}' $(PKGS) | sed '/^$$/d'); \
	echo "$$found fuzz targets"; [ "$$found" -gt 0 ]

.PHONY: torture
torture: toolchain ## Kill, starve and drift for long (KILLS=1000 random kills, every system call, CHECKS=2000 seeds)
	$(GO) test -tags $(TAGS) -count 1 -timeout 3h -run 'TestWalkOfASourceThatChanges' ./extract -rapid.checks=$(CHECKS)
	$(GO) test -tags $(TAGS) -count 1 -timeout 3h -run 'TestAnyInterleavingConverges|TestProofUnderAnySemantics' ./internal/pipeline -rapid.checks=$$(($(CHECKS) / 10))
	TORTURE_KILLS=$(KILLS) TORTURE_ALL=1 $(GO) test -tags $(TAGS) -count 1 -v -timeout 6h ./test/torture

.PHONY: acceptance
acceptance: build ## Judge the binary from outside (needs Python 3.11+ and Node.js)
	test/acceptance/run.sh $(BIN)

.PHONY: packaging
packaging: build ## Check the image, compose, systemd, Kubernetes, alerts, dashboard, man pages and the release
	test/packaging/run.sh $(BIN)

.PHONY: vuln
vuln: toolchain ## Look for known vulnerabilities (needs the internet)
	$(TOOL) govulncheck -tags $(TAGS) $(PKGS)

# DuckDB is C++ linked through cgo: say what is missing before the linker does.
.PHONY: toolchain
toolchain:
	@command -v $(GO) >/dev/null || { echo "$(GO) was not found: install Go 1.26 or newer from https://go.dev/dl" >&2; exit 1; }
	@cc=$$($(GO) env CC); command -v $${cc%% *} >/dev/null || \
	  { echo "no C compiler ($$cc) was found: install gcc and g++, or clang (Debian: apt-get install g++; macOS: xcode-select --install)" >&2; exit 1; }
