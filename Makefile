# make test is all that a change has to pass; CONTRIBUTING.md says more.

GO       ?= go
FUZZTIME ?= 10m
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

# One set of flags for every binary that leaves this tree, so that the same
# sources give the same bytes.
flags = -trimpath -buildvcs=false -ldflags "-s -w -buildid= -X github.com/ficus-gateway/ficus/gateway/app.version=$(VERSION)"
build = CGO_ENABLED=0 $(GO) build $(flags)

.PHONY: help
help: ## Say what the targets do.
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

.PHONY: test
test: setup lint ## Everything a change must pass: gofmt, vet, staticcheck and all tests under the race detector.
	$(GO) test -race ./...

.PHONY: check
check: lint ## The same without the race detector and without installing anything; faster.
	$(GO) test ./...

.PHONY: lint
lint: ## gofmt, vet and staticcheck.
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "run gofmt -w on:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

.PHONY: setup
setup: ## Install what the tests need and this machine lacks, such as nginx, Redis, Chromium and gcc.
	@.ci/setup

.PHONY: soak
soak: setup ## The long versions of the tests: a hundred kill -9, a thousand reloads under load, two hundred schedules of partitions and crashes.
	FICUS_SOAK=1 $(GO) test -race -count=1 -timeout 2h ./...

.PHONY: evidence
evidence: ## Hold the guard to its whole catalogue: every kind of bad service, every trouble that is not the service's fault, and the false alarms of 10,000 simulated migrations.
	FICUS_EVIDENCE=1 $(GO) test -count=1 -v -timeout 1h ./gateway/app/evidencetest
	FICUS_EVIDENCE=1 $(GO) test -count=1 -v -timeout 1h -run TestAMigrationWithoutADifference ./gateway

.PHONY: fuzz
fuzz: ## Fuzz every target for FUZZTIME each (10m): make fuzz FUZZTIME=30s
	@grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$dir"/*_test.go); do \
			echo "== $$dir $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$dir" </dev/null || exit 1; \
		done; \
	done

.PHONY: bench
bench: ## Run all benchmarks, and measure what the shadow and open dashboards cost the user, and how soon a click is in force.
	$(GO) test -run '^$$' -bench . -benchmem ./...
	FICUS_BENCH=1 $(GO) test -run TestShadow -count=1 -v -timeout 30m ./gateway/app/toll
	FICUS_BENCH=1 $(GO) test -run 'TestOpenDashboardsDoNotMoveTheP99|TestAClickIsInForceAtOnce' -count=1 -v ./gateway/dashboard/web

.PHONY: build
build: ## Build bin/ficus, a static binary.
	$(build) -o bin/ficus .

.PHONY: reproducible
reproducible: ## Build twice, in two directories and from an empty cache, and compare the bytes.
	@set -e; dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	$(build) -o "$$dir/here" .; \
	mkdir "$$dir/elsewhere"; \
	git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$$dir/elsewhere"; \
	(cd "$$dir/elsewhere" && GOCACHE="$$dir/cache" GOFLAGS=-modcacherw $(build) -o "$$dir/there" .); \
	sha256sum "$$dir/here" "$$dir/there"; \
	cmp "$$dir/here" "$$dir/there" && echo "the same bytes"

.PHONY: generate
generate: ## Make the configuration reference and its JSON Schema anew from the types.
	$(GO) generate ./...

.PHONY: image
image: ## Build the container image, ficus:VERSION.
	docker build --build-arg VERSION=$(VERSION) --build-arg SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) -t ficus:$(VERSION) -t ficus:latest .
