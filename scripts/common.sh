# shellcheck shell=bash
# shellcheck disable=SC2034  # the scripts that source this file use what it sets
# What every script here shares: pinned versions, where tools are looked for, how progress is told.
# Source it; it runs nothing by itself.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TOOLS="$ROOT/.tools"

# wasm-bindgen must equal the library in Cargo.toml exactly. Trunk 0.22 needs a newer Rust.
TRUNK_VERSION=0.21.14
WASM_BINDGEN_VERSION=0.2.129
WASM_PACK_VERSION=0.15.1
BINARYEN_VERSION=132

# The project's own tools win over the user's; the stand-in for wasm-opt comes last of all.
export PATH="$TOOLS/bin:$TOOLS/node_modules/.bin:${CARGO_HOME:-$HOME/.cargo}/bin:$PATH:$TOOLS/stand-in"

cd "$ROOT"

say() {
  if [ -t 2 ]; then printf '\033[1m▸ %s\033[0m\n' "$*" >&2; else printf '▸ %s\n' "$*" >&2; fi
}
fail() { printf 'portside: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Runs one step under a title and tells how long it took.
step() {
  local title=$1 started=$SECONDS
  shift
  say "$title"
  "$@"
  printf '  done in %d s\n' $((SECONDS - started)) >&2
}
