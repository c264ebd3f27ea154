# `make demo` and `make test` are all a newcomer needs; `make` alone lists the rest.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GO        ?= go
TAGS      := duckdb_arrow
BIN       := bin/flashback-sync
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS   := -X main.version=$(VERSION)
PICTURE   ?= bin/superset.png
DIST      ?= dist
RELEASE_BIN ?= $(DIST)/flashback-sync
RELEASE   = flashback-sync_$(VERSION:v%=%)_$(shell $(GO) env GOOS)_$(shell $(GO) env GOARCH)
LICENSES  ?= $(DIST)/THIRD_PARTY_LICENSES
EPOCH     = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct))
DOCUMENTS := README.md LICENSE CHANGELOG.md ARCHITECTURE.md SECURITY.md docs deploy
TOOL      := $(GO) tool -modfile=tools.mod
PKGS      ?= ./...
BENCH     ?= .
BENCHTIME ?= 1s
BENCHARGS ?=
COUNT     ?= 6
OLD       ?= bin/old.txt
NEW       ?= bin/new.txt
# For every command of Go: what one has compiled with these flags, none compiles again.
export GOFLAGS := $(strip $(shell $(GO) env GOFLAGS) -trimpath)
FUZZTIME  ?= 10s
CHECKS    ?= 2000
KILLS     ?= 1000
# The tests of internal/run and load that leave themselves out under the race detector.
UNRACED   := Forget|Forgotten|Expire|Privacy|Rewrite
# Linking DuckDB takes two thirds of the time without what debuggers need, and make lint has vetted.
QUICKLY   := -tags $(TAGS) -vet=off -ldflags='-s -w' -timeout 20m

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## Build, then sync a simulated organisation and ask what happened (under a minute)
	$(BIN) demo

# Under the tag assert, arrow-go checks that no builder is misused and no batch is used after its release.
.PHONY: test
test: toolchain ## Run every test with a real DuckDB, all but the longest with the race detector, and kill the binary 200 times
	$(GO) test -race $(QUICKLY) -tags $(TAGS),assert $$($(GO) list -tags $(TAGS) $(PKGS) | grep -v /test/torture)
	$(GO) test $(QUICKLY) ./extract ./load/lake
	$(GO) test $(QUICKLY) -run '$(UNRACED)' ./load ./internal/run
	$(GO) test $(QUICKLY) ./test/torture

.PHONY: download
download: ## Download the modules of the program and of the tools
	$(GO) mod download
	$(GO) mod download -modfile=tools.mod
	cd iceberg && $(GO) mod download

.PHONY: build
build: toolchain ## Build bin/flashback-sync
	$(GO) build -tags $(TAGS) -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/flashback-sync

# A module of its own: it needs neither DuckDB nor a C compiler.
.PHONY: iceberg-test
iceberg-test: ## Run the tests of bin/flashback-iceberg, a module of its own
	cd iceberg && $(GO) vet ./... && $(GO) test -timeout 10m ./...

.PHONY: iceberg-lint
iceberg-lint: ## Check format and lint of bin/flashback-iceberg
	@unformatted=$$($(TOOL) gofumpt -l iceberg); \
	if [ -n "$$unformatted" ]; then printf 'not formatted (make fmt):\n%s\n' "$$unformatted" >&2; exit 1; fi
	cd iceberg && $(GO) tool -modfile=../tools.mod golangci-lint run ./...

.PHONY: iceberg
iceberg: ## Build bin/flashback-iceberg
	cd iceberg && CGO_ENABLED=0 $(GO) build -ldflags '$(LDFLAGS)' -o ../bin/flashback-iceberg ./cmd/flashback-iceberg

# The same flags for the archive and the image: no paths, no checkout state, no build
# id, no symbols, so that the bytes follow from the commit, Go and the C++ toolchain.
.PHONY: release-binary
release-binary: toolchain
	$(GO) build -tags $(TAGS) -buildvcs=false -ldflags '-s -w -buildid= $(LDFLAGS)' -o $(RELEASE_BIN) ./cmd/flashback-sync

# For this platform only: DuckDB comes as a static library for each, and linking it
# takes that platform's C++ toolchain. Packing takes GNU tar and coreutils, and jq.
.PHONY: release
release: release-binary release-archive ## Archive, checksums and SBOM of this platform, reproducibly (DIST=dist)

# The same commit, binary and Go release make the same bytes, wherever and whenever:
# every time is EPOCH, names are sorted, owners and modes are stated. Of the documents
# goes along what git knows: beside them may be notes, or secrets.
.PHONY: release-archive
release-archive: STAGE = $(DIST)/stage/$(RELEASE)
release-archive: release-licenses
	rm -rf $(DIST)/stage && mkdir -p $(STAGE)/completions
	mv $(LICENSES) $(STAGE)/THIRD_PARTY_LICENSES
	cp $(RELEASE_BIN) $(STAGE)/flashback-sync
	for document in $(DOCUMENTS); do git ls-files -z --error-unmatch -- $$document; done | xargs -0 cp --parents -t $(STAGE)
	cd $(STAGE) && export SOURCE_DATE_EPOCH=$(EPOCH) && ./flashback-sync man --out man/man1 && \
	  ./flashback-sync completion bash >completions/flashback-sync.bash && \
	  ./flashback-sync completion zsh >completions/_flashback-sync && \
	  ./flashback-sync completion fish >completions/flashback-sync.fish && \
	  ./flashback-sync completion powershell >completions/flashback-sync.ps1
	$(TOOL) cyclonedx-gomod bin -json -std -noserial -output-version 1.6 -version '$(VERSION)' $(STAGE)/flashback-sync | \
	  jq --arg epoch '$(EPOCH)' --arg sha256 "$$(sha256sum <$(RELEASE_BIN) | cut -d' ' -f1)" \
	    --arg duckdb "$$($(RELEASE_BIN) version | grep -oP 'DuckDB v\K[0-9.]+')" -f release/sbom.jq >$(STAGE)/sbom.cdx.json
	cp $(STAGE)/sbom.cdx.json $(DIST)/$(RELEASE).cdx.json
	@links=$$(find $(STAGE) -type l); [ -z "$$links" ] || { echo "links are not packed: $$links" >&2; exit 1; }
	tar --sort=name --format=ustar --mtime=@$(EPOCH) --owner=root:0 --group=root:0 --mode=u=rwX,go=rX \
	  -C $(DIST)/stage -c $(RELEASE) | gzip -n >$(DIST)/$(RELEASE).tar.gz
	rm -rf $(DIST)/stage
	cd $(DIST) && sha256sum $(RELEASE).cdx.json $(RELEASE).tar.gz | tee SHA256SUMS

# The texts that have to travel with the binary, of what is linked into it: go.mod also
# lists what tests and other platforms need. A module without a text is an error.
.PHONY: release-licenses
release-licenses:
	@mkdir -p $(dir $(LICENSES)); shopt -s nocaseglob nullglob; { \
	  echo 'flashback-sync contains the following software, each under its own license.'; \
	  { printf 'Go %s\t%s\n' "$$($(GO) version $(RELEASE_BIN) | sed 's/.* go//')" "$$($(GO) env GOROOT)"; \
	    $(GO) version -m $(RELEASE_BIN) | awk '$$1 == "dep" { print $$2 }' | LC_ALL=C sort | \
	      xargs $(GO) list -m -f '{{.Path}} {{.Version}}{{"\t"}}{{.Dir}}'; } | \
	  while IFS=$$'\t' read -r module dir; do \
	    texts=("$$dir"/{LICENSE,LICENCE,COPYING,NOTICE,PATENTS}*); \
	    [ $${#texts[@]} -gt 0 ] || { echo "$$module has no license file" >&2; exit 1; }; \
	    for text in "$${texts[@]}"; do \
	      printf '\n%s\n%s (%s)\n\n' "$$(printf '=%.0s' {1..80})" "$$module" "$${text##*/}"; cat "$$text"; \
	    done; \
	  done; } >$(LICENSES)

.PHONY: fmt
fmt: toolchain ## Format the code
	$(TOOL) gofumpt -w .

.PHONY: lint
lint: toolchain ## Check format, vet and lint; writes nothing
	@unformatted=$$($(TOOL) gofumpt -l .); \
	if [ -n "$$unformatted" ]; then printf 'not formatted (make fmt):\n%s\n' "$$unformatted" >&2; exit 1; fi
	$(TOOL) golangci-lint run $(PKGS)

.PHONY: bench
bench: toolchain ## Measure whole runs (minutes; BENCHARGS='-only full -json FILE')
	$(GO) run -tags $(TAGS) ./bench $(BENCHARGS)

.PHONY: bench-quick
bench-quick: toolchain ## The same at a small size, to see that everything works
	$(GO) run -tags $(TAGS) ./bench -quick $(BENCHARGS)

.PHONY: bench-peers
bench-peers: build ## Compare a first sync with dlt and an async script (needs Python 3.11+; BENCHARGS='--rows 200000 --rounds 2')
	$(GO) build -tags $(TAGS) -o bin/bench ./bench
	[ -e bin/peers/ready ] || { python3 -m venv bin/peers && bin/peers/bin/pip install -q -r bench/peers/requirements.txt && touch bin/peers/ready; }
	bin/peers/bin/python -B bench/peers/run.py $(BIN) bin/bench $(BENCHARGS)

.PHONY: bench-micro
bench-micro: toolchain ## Run the Go benchmarks, for benchstat (BENCH=regexp PKGS=./... COUNT=6 NEW=bin/new.txt)
	@mkdir -p $(dir $(NEW))
	$(GO) test -tags $(TAGS) -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -count $(COUNT) -benchmem -timeout 3h $(PKGS) | tee $(NEW)

.PHONY: bench-once
bench-once: toolchain ## Run each Go benchmark once, so that none can rot
	$(GO) test $(QUICKLY) -run '^$$' -bench . -benchtime 1x -short $$(grep -rl --include=*_test.go '^func Benchmark' . | grep -v '^./iceberg/' | xargs -n1 dirname | sort -u)

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
	    if ! $(GO) test $(QUICKLY) -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$pkg" </dev/null >"$$log" 2>&1; then \
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
	$(GO) test -tags $(TAGS) -count 1 -timeout 3h -run 'TestAnyInterleavingConverges|TestProofUnderAnySemantics' ./internal/run -rapid.checks=$$(($(CHECKS) / 10))
	LONG_TESTS=1 $(GO) test -tags $(TAGS) -count 1 -timeout 1h -run '$(UNRACED)' ./internal/run
	TORTURE_KILLS=$(KILLS) TORTURE_ALL=1 $(GO) test -tags $(TAGS) -count 1 -v -timeout 6h ./test/torture

.PHONY: acceptance
acceptance: build ## Judge the binary from outside (needs Python 3.11+ and Node.js)
	test/acceptance/run.sh $(BIN)

.PHONY: superset
superset: build ## Import the dashboard into a real Superset and check it (needs Python 3.11 and chromium; PICTURE=docs/superset.png)
	test/superset/run.sh $(BIN) $(PICTURE)

.PHONY: lakehouse
lakehouse: build iceberg ## Push to two Iceberg catalogs and read with four engines (needs Python 3.11, Maven and Java, see test/lakehouse/run.sh)
	test/lakehouse/run.sh $(BIN) bin/flashback-iceberg

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
