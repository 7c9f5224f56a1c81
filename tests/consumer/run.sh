#!/bin/sh
# Installs a build into a temporary prefix, then builds and runs a program against
# it as strangers would: by find_package (shared and static) and by pkg-config.
#   run.sh BUILD_DIR SOURCE_DIR [C_COMPILER]
set -eu
build=$1
source=$2
cc=${3:-cc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Moved after installing: nothing in it may know where it was installed to.
cmake --install "$build" --prefix "$work/first" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
mv "$work/first" "$work/prefix"
for file in "$work/prefix/bin/sqa" "$work/prefix/include/sqa_cl.h"; do
    if [ ! -f "$file" ]; then
        echo "not installed: ${file#"$work"}" >&2
        exit 1
    fi
done
"$work/prefix/bin/sqa" --version

cmake -S "$source/tests/consumer" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" \
    -DCMAKE_C_COMPILER="$cc" -DCMAKE_BUILD_TYPE=Release >"$work/log" 2>&1 ||
    { cat "$work/log"; exit 1; }
cmake --build "$work/build" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
"$work/build/consumer_shared"
"$work/build/consumer_static"
if readelf -d "$work/build/consumer_static" | grep -q libsqa_cl; then
    echo "the static consumer still needs libsqa_cl.so" >&2
    exit 1
fi
readelf -d "$work/build/consumer_shared" | grep -q 'NEEDED.*libsqa_cl\.so\.' ||
    { echo "the shared consumer does not name libsqa_cl.so by its SONAME" >&2; exit 1; }

pc=$(find "$work/prefix" -name sqa_cl.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
# The output of pkg-config is a list of options.
# shellcheck disable=SC2046
"$cc" -std=c11 "$source/tests/consumer/main.c" -o "$work/consumer_pkg" \
    $(pkg-config --cflags --libs sqa_cl) -lm
LD_LIBRARY_PATH=$(pkg-config --variable=libdir sqa_cl) "$work/consumer_pkg"
