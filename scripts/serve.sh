#!/usr/bin/env bash
# Builds the page and serves it on http://localhost:8080, or another port by PORT=.
# RELEASE=1 serves what `make dist` would publish.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

scripts/setup.sh page
port=${PORT:-8080}
say "Building the page (about two minutes the first time, then seconds), then serving http://localhost:$port"
exec trunk serve --offline --skip-version-check --port "$port" ${RELEASE:+--release}
