#!/usr/bin/env bash
# Splits the released program into what the first paint needs and the rest. Trunk calls it when the site is
# built, before it goes to dist/. Where Node.js 20 or newer is missing the program stays whole: right, but slower to load.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

[ "${TRUNK_PROFILE:-}" = release ] || exit 0
new_enough() { node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)'; }
if ! have node || ! new_enough || [ ! -d scripts/split/node_modules/happy-dom ]; then
  say "The program stays in one part, and loads more before the first paint: scripts/setup.sh page installs what splits it"
  exit 0
fi
# Trunk's cargo was told for which target to build; this is a program for this machine.
cargo build --quiet --locked --package portside-split
node scripts/split/split.mjs "${TRUNK_STAGING_DIR:?Trunk says where it builds}" "${CARGO_TARGET_DIR:-target}/debug/portside-split"
