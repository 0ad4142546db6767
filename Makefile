# SLM-Copilot, for its maintainers. `make` lists the targets.

# Node 24 comes from a development dependency and stands before the system's.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help prepare up down ssh logs stage test test-clients check bench generate build clean

help: ## list these targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

prepare: ## install what is missing of packages and modules
	@bash packer/build/prerequisites.sh

up: prepare ## build, bake, boot, and talk to the appliance in a VM
	@node test/vm/up.ts

down: ## stop the VM and remove it
	@node test/vm/down.ts

ssh: ## a shell in the VM
	@node test/vm/shell.ts

logs: ## follow the appliance's log in the VM
	@node test/vm/shell.ts tail -n 200 -F /var/log/one-appliance/slm-copilot.log

stage: ## push the executable into the VM, run STAGE=configure or bootstrap
	@node test/vm/stage.ts $(STAGE)

test: prepare ## everything: checks, unit, integration, a VM baked and booted
	@npm run --silent check
	@vitest run

test-clients: prepare ## every client from npm, six silent minutes too, as a table (CLIENT=NAME: one)
	@node test/clients/main.ts $(CLIENT)

check: ## types, lint, import arrows, spelling, unused exports, shell scripts, generated files
	@bash packer/build/prerequisites.sh check
	@npm run --silent check

bench: prepare ## measure, side by side; BENCH=NAME for one of them
	@node test/bench/bench.ts $(BENCH)

generate: prepare ## write the files that derive from the variables' records
	@node packer/build/generated.ts

build: prepare ## dist/slm-copilot
	@node packer/build/executable.ts

clean: down ## remove the VM, what was built here, and the cache
	@rm -rf dist "$${SLM_COPILOT_CACHE:-$$HOME/.cache/slm-copilot}"
