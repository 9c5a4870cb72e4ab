#!/usr/bin/env bash
# Builds assets/vendor/codemirror.js from the packages pinned in scripts/editor/, and collects their licences.
# Needs Node.js with npm; only who changes the editor runs it.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

have npm || fail "building the editor script needs Node.js with npm"
cd scripts/editor
npm ci --no-audit --no-fund --loglevel=error
npx esbuild editor.js --bundle --minify --format=esm --target=es2022 --charset=utf8 --legal-comments=none \
  --banner:js='/* CodeMirror 6 and Portside: codemirror.LICENSE.txt */' --outfile="$ROOT/assets/vendor/codemirror.js"
{
  echo "codemirror.js holds parts of these packages, each under the MIT licence that follows its name."
  # Sorted by bytes, so that every machine writes the same file.
  find node_modules -name LICENSE -not -path '*esbuild*' | LC_ALL=C sort | while read -r licence; do
    folder=$(dirname "$licence")
    printf '\n--- %s %s\n\n' "${folder#node_modules/}" "$(node -p "require('./$folder/package.json').version")"
    cat "$licence"
  done
} >"$ROOT/assets/vendor/codemirror.LICENSE.txt"
say "assets/vendor/codemirror.js: $(wc -c <"$ROOT/assets/vendor/codemirror.js") bytes"
