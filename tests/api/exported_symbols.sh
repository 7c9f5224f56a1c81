#!/bin/sh
# The shared library exports exactly the names in exported_symbols.txt.
#   exported_symbols.sh LIBRARY LIST
set -eu
export LC_ALL=C
here=$(mktemp)
trap 'rm -f "$here"' EXIT
# Sanitizers and the linker add names that are not ours; all of ours are sqa_*.
nm -D --defined-only "$1" | awk '{print $3}' |
    grep -v -E '^(_init|_fini|_edata|_end|__bss_start|__[at]san.*|__ubsan.*|__odr.*)$' | sort >"$here"
if ! diff -u "$2" "$here"; then
    echo "The exported symbols are not those of $2." >&2
    echo "If that is meant, change the list in the same commit and raise the version." >&2
    exit 1
fi
echo "$(wc -l <"$2") symbols, as listed"
