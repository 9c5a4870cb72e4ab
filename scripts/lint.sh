#!/usr/bin/env bash
# Formatting and lints: every warning is an error, natively and for the browser.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

shell_scripts() {
  local file
  for file in scripts/*.sh .ci/run; do bash -n "$file"; done
  if have shellcheck; then shellcheck --external-sources --source-path=SCRIPTDIR scripts/*.sh .ci/run; fi
}

scripts/setup.sh lint
step "Formatting" cargo fmt --all --check
step "Shell scripts" shell_scripts
step "Clippy, native" cargo clippy --workspace --all-targets -- -D warnings
step "Clippy, wasm32" cargo clippy --target wasm32-unknown-unknown --all-targets -- -D warnings
