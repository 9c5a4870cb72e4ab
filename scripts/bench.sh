#!/usr/bin/env bash
# Measures the numbers that design and README promise: the engine natively, the page in headless Chromium.

. "$(dirname "$0")/common.sh"

scripts/setup.sh page tests
if [ -f benches/engine.rs ]; then
  step "The engine, native" cargo bench --profile native --bench engine
fi
step "The site, as it is published" scripts/dist.sh
step "The page, in headless Chromium" cargo run --quiet --profile native -p portside-browser-tests --bin page-bench
