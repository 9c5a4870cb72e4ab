#!/usr/bin/env bash
# Leaves a static site in dist/ that works from any sub-path and needs no logic on the server.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

scripts/setup.sh page
say "Building the site (a few minutes from nothing, about a minute again)"
trunk build --release --offline --locked --skip-version-check
