#!/bin/sh
# Is there an engine for the tests of containers? One that answers; or one that ../shared/bench starts, where there is such
# a thing, with stand-ins for images that cannot be pulled. Exit 0 with an engine, 1 without, saying why.
set -u
cd "$(dirname "$0")/../.."
bench=../shared/bench

if ! timeout 30 docker version >/dev/null 2>&1; then
    if [ "$(id -u)" -ne 0 ] || [ ! -x "$bench/up" ]; then
        echo "No engine answers (docker version); the tests of containers are left out"
        exit 1
    fi
    timeout 900 "$bench/up" || { echo "The engine could not be started; the tests of containers are left out"; exit 1; }
fi
# What cannot be pulled is imitated; a real image that is there already is left alone.
if [ -x "$bench/images" ]; then
    timeout 1200 "$bench/images" --placeholders -f compose/compose.yaml ||
        { echo "The third parties' images cannot be had; the tests of containers are left out"; exit 1; }
fi
