#!/bin/sh
# Builds everything and runs every test, on a fresh Debian or Ubuntu with nothing
# prepared. A second run installs nothing, needs no network and builds little.
#   sh tests/run.sh [--full]
# --full adds the full conformance grid and the long sweeps (about an hour).
# The tests run on PoCL (`sqa verify` is for other devices); $BUILD_DIR is the
# folder everything is built in, otherwise build/test.
set -u

usage() {
    sed -n '2,7s/^# \{0,1\}//p' "$0"
}

size=quick
for argument in "$@"; do
    case $argument in
    --full) size=full ;;
    -h | --help) usage; exit 0 ;;
    *) echo "tests/run.sh: '$argument' is not an option; --help explains" >&2; exit 2 ;;
    esac
done

cd "$(dirname "$0")/.." || exit 1
root=$PWD
build=${BUILD_DIR:-$root/build/test}
# shellcheck source=tuner/install_packages.sh
. tuner/install_packages.sh

packages="cmake make gcc g++ libc6-dev binutils pkg-config ocl-icd-opencl-dev opencl-headers
pocl-opencl-icd libclblast-dev libsqlite3-dev sqlite3 libxxhash-dev check oclgrind gnuplot-nox"
# The list is meant to fall apart into words.
# shellcheck disable=SC2086
ensure_packages $packages || exit 1
# The compilers that tests/gpu asks about AMD and, with CUDA, NVIDIA.
offer_packages clang-19 libclc-19

mkdir -p "$build" || exit 1
jobs=$(nproc 2>/dev/null || echo 2)
start=$(date +%s)
summary=
failed=0

elapsed() {
    echo "$(($(date +%s) - start)) s"
}

# quietly LOG COMMAND...: shows the end of the log only when the command fails.
quietly() {
    log=$1
    shift
    if "$@" >"$log" 2>&1; then
        return 0
    fi
    tail -n 60 "$log"
    echo "FAILED: $* (all of it in $log)"
    failed=1
    return 1
}

# build NAME TARGET CMAKE_OPTION...: configures, and builds TARGET in $build/NAME.
build() {
    name=$1
    target=$2
    shift 2
    generator=
    if [ ! -f "$build/$name/CMakeCache.txt" ] && command -v ninja >/dev/null 2>&1; then
        generator='-G Ninja'
    fi
    mkdir -p "$build/$name"
    echo "== build $name ($(elapsed))"
    # generator is nothing or two words.
    # shellcheck disable=SC2086
    quietly "$build/$name/configure.log" cmake -S "$root" -B "$build/$name" $generator \
        -DSQA_CL_WERROR=ON -DSQA_TEST_HOME="$build/home" "$@" &&
        quietly "$build/$name/build.log" cmake --build "$build/$name" --target "$target" -j "$jobs"
}

# check NAME CTEST_OPTION...: runs the tests of $build/NAME.
check() {
    name=$1
    shift
    echo "== test $name ($(elapsed))"
    log=$build/$name/ctest.log
    (cd "$build/$name" && ctest -j "$jobs" --output-on-failure --output-log "$log" "$@") || failed=1
    summary="$summary
$name: $(grep 'tests passed' "$log" || echo 'no test was run')"
}

export SQA_TEST_SIZE=$size
build main all && check main

# Smaller checks with the compiler's own eyes open, and every assert. Scripts are about the build
# or the program from outside, and have nothing to gain; nor have more kernels: what sanitizers
# see of a family is the host's side, which is the same for all.
export SQA_TEST_SIZE=tiny
unsanitized='script|cli'
kernels='^families_.*(clblast|columns|decode|elements|rows|stream|tiled)'
build address all -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSQA_CL_SANITIZE=address,undefined &&
    check address -LE "$unsanitized" -E "$kernels"
build thread threaded_tests -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSQA_CL_SANITIZE=thread &&
    check thread -L threaded

if command -v clang >/dev/null 2>&1; then
    build clang all -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=clang && summary="$summary
clang: compiles without a warning"
fi

echo "== summary ($(elapsed))$summary"
if [ "$failed" -ne 0 ]; then
    echo "Something failed; see above."
else
    echo "Everything passed."
fi
if [ -f "$build/main/ctest.log" ]; then
    grep 'tests passed' "$build/main/ctest.log"
fi
exit "$failed"
