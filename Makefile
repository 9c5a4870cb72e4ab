# What a person does with Portside. Each target installs what it misses and says so.

.PHONY: help serve test dist bench lint vendor
.DEFAULT_GOAL := help

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-8s %s\n", $$1, $$2 }'

serve: ## Build the page and serve it on http://localhost:8080 (PORT=… for another port)
	@scripts/serve.sh

test: ## Run every test: native, in WebAssembly, and end to end in headless Chromium
	@scripts/test.sh

dist: ## Build the static site into dist/
	@scripts/dist.sh

bench: ## Measure the engine natively and the page in headless Chromium
	@scripts/bench.sh

lint: ## Check formatting and lints
	@scripts/lint.sh

vendor: ## Build assets/vendor/ anew from npm (needs Node.js; not needed to build Portside)
	@scripts/vendor-editor.sh
