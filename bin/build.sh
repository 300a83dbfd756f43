#!/bin/sh
# Builds dist/, which the package ships and which starts faster than stripping types does.
set -eu
cd "$(dirname "$0")/.."
rm -rf dist
./node_modules/.bin/tsc -p tsconfig.build.json
# The same private imports as in package.json, of compiled files.
printf '%s\n' '{"type": "module", "imports": {"#kit": "./src/kit/index.js", "#formats/*": "./src/formats/*.js"}}' > dist/package.json
touch dist/.built
