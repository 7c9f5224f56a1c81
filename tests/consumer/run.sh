#!/bin/sh
# The library in other people's hands: installs a build into a temporary prefix, then
# builds and runs a program against it by find_package (shared and static) and by
# pkg-config; the same with absolute install folders; and as a part of another project,
# from a path with brackets and blanks.
#   run.sh BUILD_DIR SOURCE_DIR [C_COMPILER]
set -eu
build=$1
source=$2
cc=${3:-cc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "$1" >&2
    exit 1
}

# quietly COMMAND...: shows what it said only when it fails.
quietly() {
    "$@" >"$work/log" 2>&1 || { cat "$work/log"; fail "FAILED: $*"; }
}

configure() {
    quietly cmake "$@" -DCMAKE_C_COMPILER="$cc"
}

# use_package DIR CMAKE_OPTION...: both consumers, built in DIR.
use_package() {
    folder=$1
    shift
    configure -S "$source/tests/consumer" -B "$folder" -DCMAKE_BUILD_TYPE=Release "$@"
    quietly cmake --build "$folder"
    "$folder/consumer_shared"
    "$folder/consumer_static"
}

# use_pkg_config PROGRAM: with the sqa_cl.pc that $PKG_CONFIG_PATH leads to.
use_pkg_config() {
    # The output of pkg-config is a list of options.
    # shellcheck disable=SC2046
    "$cc" -std=c11 "$source/tests/consumer/main.c" -o "$1" \
        $(pkg-config --cflags --libs sqa_cl) -lm
    LD_LIBRARY_PATH=$(pkg-config --variable=libdir sqa_cl) "$1"
}

# Moved after installing: nothing in it may know where it was installed to.
quietly cmake --install "$build" --prefix "$work/first"
mv "$work/first" "$work/prefix"
for file in bin/sqa include/sqa_cl.h; do
    [ -f "$work/prefix/$file" ] || fail "not installed: $file"
done
"$work/prefix/bin/sqa" --version
use_package "$work/consumer" -DCMAKE_PREFIX_PATH="$work/prefix"
"$work/consumer/consumer_layer" xsqa 64
! readelf -d "$work/consumer/consumer_static" | grep -q libsqa_cl ||
    fail "the static consumer still needs libsqa_cl.so"

# While the major version is 0, a program asks for the minor one it was linked with.
interface=$("$work/prefix/bin/sqa" --version | sed -n 's/^sqa \(0\.[0-9]*\|[0-9]*\).*/\1/p')
readelf -d "$work/consumer/consumer_shared" | grep -q "NEEDED.*\[libsqa_cl\.so\.$interface\]" ||
    fail "the shared consumer does not ask for libsqa_cl.so.$interface"

PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name sqa_cl.pc)")
export PKG_CONFIG_PATH
use_pkg_config "$work/consumer_pkg"

# Libraries and headers in folders that have nothing in common. What is installed was
# built above.
configure -S "$source" -B "$work/apart" -DSQA_CL_BUILD_TUNER=OFF -DSQA_CL_BUILD_TESTS=OFF \
    -DCMAKE_INSTALL_PREFIX="$work/out" -DCMAKE_INSTALL_LIBDIR="$work/out-lib/lib" \
    -DCMAKE_INSTALL_INCLUDEDIR="$work/out-dev/include"
mkdir -p "$work/apart/lib"
cp -P "$build"/lib/libsqa_cl.* "$work/apart/lib"
quietly cmake --install "$work/apart"
[ -f "$work/out-dev/include/sqa_cl.h" ] || fail "no header in an absolute folder"
use_package "$work/apart/consumer" -DCMAKE_PREFIX_PATH="$work/out-lib"
PKG_CONFIG_PATH=$work/out-lib/lib/pkgconfig
use_pkg_config "$work/consumer_apart"

# As a part of another project, which itself has a unity build. FetchContent is only
# configured: it comes down to the same, but CMake's own cannot do with brackets.
mkdir "$work/plain"
for item in CMakeLists.txt cl db include src tuner; do
    cp -R "$source/$item" "$work/plain"
done
configure -S "$source/tests/consumer/parent" -B "$work/fetch" -DWAY=fetch \
    -DSQA_CL_SOURCE="$work/plain"
mv "$work/plain" "$work/a [copy] of it"
configure -S "$source/tests/consumer/parent" -B "$work/parent" -DWAY=subdirectory \
    -DSQA_CL_SOURCE="$work/a [copy] of it"
quietly cmake --build "$work/parent" -j 2
for kind in shared static; do
    "$work/parent/parents/parent_$kind"
done
quietly cmake --install "$work/parent" --prefix "$work/nothing"
[ ! -e "$work/nothing" ] || fail "a parent's install has the library's files"
