#!/usr/bin/env bash
# Measures the numbers that Portside promises: the engine natively, the page in headless Chromium.
# Both print rows of one table; what they do goes to stderr, so `make bench > table.md` keeps the table alone.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

scripts/setup.sh page tests
say "Building the engine's benchmark (a few minutes from nothing)"
cargo build --profile native --bench engine
step "The site, as it is published" scripts/dist.sh >&2
echo "| what | must hold | measured |"
echo "| --- | --- | --- |"
step "The engine, native" cargo bench --quiet --profile native --bench engine
step "The page, in headless Chromium" cargo run --quiet -p portside-browser-tests --bin page-bench
