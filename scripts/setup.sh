#!/usr/bin/env bash
# Installs what is missing, and only that: setup.sh [lint] [page] [tests]
#   lint   the wasm32 target
#   page   what builds the page: Trunk, wasm-bindgen, wasm-opt
#   tests  what runs it in a browser: wasm-pack, Chromium, ChromeDriver
# Tools go into .tools/ of the project; one of the right version that is on the PATH is used as it is.
# Only package registries are needed: crates.io, npm, and apt where it can be used.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

# The version that a tool reports must hold the one that we want, as a whole word.
is_version() {
  local tool=$1 version=$2
  have "$tool" && "$tool" --version 2>/dev/null </dev/null | grep -qE "(^|[ _(v])${version//./\\.}([ )]|$)"
}

cargo_tool() {
  local tool=$1 package=$2 version=$3 minutes=$4
  is_version "$tool" "$version" && return
  say "Installing $package $version into .tools/ (compiling takes about $minutes minutes on two cores; once)"
  if have cargo-binstall && timeout 180 cargo-binstall --no-confirm --disable-strategies compile \
    --root "$TOOLS" "$package@$version" </dev/null >&2 && is_version "$tool" "$version"; then
    return
  fi
  # One target directory for all tools: they share many dependencies.
  CARGO_TARGET_DIR="$TOOLS/target" cargo install "$package" --version "$version" --locked --root "$TOOLS" --force >&2 ||
    fail "could not install $package $version; the lines above say why"
}

# Runs apt-get as root, or by sudo when that asks for no password.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif have sudo && sudo -n true 2>/dev/null; then sudo "$@"; else return 1; fi
}

APT_UPDATED=
apt_install() {
  have apt-get || return 1
  if [ -z "$APT_UPDATED" ]; then
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null >&2 || return 1
    APT_UPDATED=yes
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null >&2
}

wasm_target() {
  local library
  library=$(rustc --print target-libdir --target wasm32-unknown-unknown)
  [ -d "$library" ] && return
  have rustup || fail "Rust's wasm32-unknown-unknown target is missing: install Rust by https://rustup.rs, or your package manager's package for that target"
  say "Adding Rust's wasm32-unknown-unknown target (seconds)"
  rustup target add wasm32-unknown-unknown >&2
}

wasm_opt() {
  if is_version wasm-opt "$BINARYEN_VERSION"; then return; fi
  if ! have npm; then
    say "Installing Node.js and npm by apt, for wasm-opt (about a minute)"
    apt_install nodejs npm || true
  fi
  if have npm; then
    say "Installing wasm-opt (npm package binaryen $BINARYEN_VERSION) into .tools/ (seconds)"
    if npm install --prefix "$TOOLS" --no-audit --no-fund --loglevel=error "binaryen@$BINARYEN_VERSION" </dev/null >&2 &&
      is_version wasm-opt "$BINARYEN_VERSION"; then
      rm -rf "$TOOLS/stand-in"
      return
    fi
  fi
  say "No wasm-opt $BINARYEN_VERSION: the page works without it, but loads about a fifth more. Install Node.js with npm to get it."
  mkdir -p "$TOOLS/stand-in"
  cp "$ROOT/scripts/wasm-opt-stand-in.sh" "$TOOLS/stand-in/wasm-opt"
  chmod +x "$TOOLS/stand-in/wasm-opt"
}

# What the build opens the page in, to see which part of the program the first paint needs.
page_opener() {
  [ -d scripts/split/node_modules/happy-dom ] && return
  if have npm; then
    say "Installing a document without a browser (npm package happy-dom) into scripts/split/ (seconds)"
    npm ci --prefix scripts/split --no-audit --no-fund --loglevel=error </dev/null >&2 && return
  fi
  say "No Node.js with npm: the page works, but its program stays in one part and loads three times as much before the first paint."
}

browser() {
  if have chromedriver && { have chromium || have google-chrome || have chromium-browser || [ -n "${CHROME:-}" ]; }; then return; fi
  say "Installing Chromium and ChromeDriver by apt (about two minutes)"
  apt_install chromium chromium-driver ||
    fail "the browser tests need Chromium and ChromeDriver of one version on the PATH: sudo apt-get install chromium chromium-driver (macOS: brew install --cask chromium chromedriver)"
}

have cargo || fail "Rust is missing: install it by https://rustup.rs"
for part in "$@"; do
  case $part in
    lint) wasm_target ;;
    page)
      wasm_target
      cargo_tool trunk trunk "$TRUNK_VERSION" 6
      cargo_tool wasm-bindgen wasm-bindgen-cli "$WASM_BINDGEN_VERSION" 2
      wasm_opt
      page_opener
      ;;
    tests)
      browser
      cargo_tool wasm-pack wasm-pack "$WASM_PACK_VERSION" 2
      ;;
    *) fail "setup.sh: no part is called $part" ;;
  esac
done

# What the tools were compiled in is of no more use.
rm -rf "$TOOLS/target"
