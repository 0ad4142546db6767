# SLM-Copilot's development targets. `make` lists them.

# Node 24 comes from a development dependency, and takes precedence over the system's.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help prepare up down ssh logs stage test reproduce test-clients check bench pins image bundle modules generate marketplace release build clean

help: ## list these targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

prepare: ## install missing Debian packages and npm modules
	@bash packer/build/prerequisites.sh

modules:
	@bash packer/build/prerequisites.sh modules

up: ## build, bake, boot, and query the appliance in a VM
	@bash packer/build/prerequisites.sh up
	@node test/vm/up.ts

down: ## stop the VM and delete its disk
	@node test/vm/down.ts

ssh: ## open a shell in the VM
	@node test/vm/shell.ts

logs: ## follow the appliance's log in the VM
	@node test/vm/shell.ts tail -n 200 -F /var/log/one-appliance/slm-copilot.log

stage: ## copy the executable into the VM, and run STAGE=configure or bootstrap
	@node test/vm/stage.ts $(STAGE)

test: prepare ## run everything: checks, unit, integration and VM tests
	@node packer/build/release/tested.ts begin
	@npm run --silent check
	@HOSTILE_COUNT=$${HOSTILE_COUNT:-10000} vitest run
	@node packer/build/release/tested.ts record

reproduce: prepare ## bake the small image twice, and compare the images' files
	@node test/vm/reproduce.ts

test-clients: prepare ## run every coding client from npm, and print a table (CLIENT=NAME for one)
	@node test/clients/main.ts $(CLIENT)
	$(if $(CLIENT),,@ALL_CLIENTS=1 npx vitest run --project integration test/integration/companion-clients.test.ts)

check: ## check types, lint, import rules, spelling, unused exports, shell scripts, generated files, npm audit
	@bash packer/build/prerequisites.sh check
	@npm run --silent check

bench: prepare ## measure variants side by side (BENCH=NAME for one benchmark)
	@node test/bench/bench.ts $(BENCH)

pins: prepare ## compare what is pinned with what is newer, and with fetched files (FILES=FOLDER)
	@node packer/build/pins.ts $(FILES)

image: ## make the production image in dist/image (MODEL=, MODEL_URL=, RELEASE=, BUNDLE=, SIGN_KEY=, ...: README.md)
	@if [ -n "$$BUNDLE" ]; then packer/build/verify-bundle.sh "$$BUNDLE"; fi
	@bash packer/build/prerequisites.sh modules $${BUNDLE:+"$$(realpath "$$BUNDLE")/npm"}
	@node packer/build/image.ts

bundle: modules ## collect what `make image` downloads in dist/bundle, or BUNDLE=, for make image BUNDLE=FOLDER
	@node packer/build/bundle.ts

generate: prepare ## write the files that derive from the code: tables in the documents, .env.example, the shim
	@node packer/build/generated.ts

marketplace: prepare ## write the files for OpenNebula's marketplace into dist/marketplace (DRAFT=1: with placeholders)
	@node packer/build/marketplace/main.ts $(if $(DRAFT),--draft)

release: prepare ## check version, changelog, tag and tests, and write what to upload into dist/release
	@node packer/build/release.ts

build: prepare ## build dist/slm-copilot
	@node packer/build/executable.ts

clean: down ## remove the VM, the build output and the cache
	@rm -rf dist "$${SLM_COPILOT_CACHE:-$$HOME/.cache/slm-copilot}"
