#!/bin/sh
# What only tests switch ($SQA_CL_TEST_*) is in no build without tests: every source
# that names such a switch is compiled as for one, and must not have it any more.
#   test_switches.sh SOURCE_DIR [C_COMPILER]
set -eu
cd "$1"
cc=${2:-cc}
object=$(mktemp)
trap 'rm -f "$object"' EXIT
seen=0
# No file has a blank in its name.
# shellcheck disable=SC2013
for file in $(grep -rl --include='*.c' SQA_CL_TEST_ src tuner); do
    "$cc" -std=c11 -D_POSIX_C_SOURCE=200809L -DSQA_CL_BUILDING -Iinclude -Isrc -Ituner -c "$file" \
        -o "$object"
    if grep -aq SQA_CL_TEST_ "$object"; then
        echo "FAILED: $file has a switch of the tests without SQA_CL_TEST_SWITCHES"
        exit 1
    fi
    seen=$((seen + 1))
done
[ "$seen" -gt 0 ] || { echo "FAILED: no source names a switch"; exit 1; }
echo "$seen sources"
