#!/usr/bin/env bash
# Every test, from cheap to dear: native, inside a browser, end to end on the built site.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

scripts/setup.sh page tests
step "Native tests" cargo test
step "Tests of the tool that splits the program" cargo test -p portside-split
step "WebAssembly tests in headless Chromium" \
  wasm-pack test --headless --chrome --mode no-install -- --lib --test wasm
step "The site, as it is published" scripts/dist.sh
step "End-to-end tests in headless Chromium" \
  cargo test -p portside-browser-tests --no-fail-fast -- --test-threads=2
