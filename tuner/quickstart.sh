#!/bin/sh
# From a fresh clone to tuned attention: installs what is missing, builds, tunes the
# first OpenCL device for a minute, and shows what that brought. Safe to run again:
# what is installed, built and tuned already is used as it is.
#
# $SQA_CL_DEVICE (P:D) chooses another device, $SQA_CL_DB another tuning database.
set -eu
cd "$(dirname "$0")/.."
. tuner/install_packages.sh

build=build
sqa=$build/bin/sqa
log=$build/quickstart.log
tuned=$build/quickstart.tuned # which device and database the last tuning was for

title() {
    printf '\n== %s\n' "$*"
}

# Runs a command with its output in the log, which is shown where it fails.
quietly() {
    if ! "$@" >>"$log" 2>&1; then
        tail -n 30 "$log" >&2
        echo "This failed: $*   (all of it: $log)" >&2
        exit 1
    fi
}

# The numbers of the first device that OpenCL lists.
first_device() {
    "$sqa" info --json | sed -n 's/.*"id": "\([0-9]*:[0-9]*\)".*/\1/p' | sed -n 1p
}

# What the device is, beyond its numbers: another driver is worth another tuning.
device_name() {
    "$sqa" info --json --device "$SQA_CL_DEVICE" |
        sed -n -e 's/.*"name": "\(.*\)".*/\1/p' -e 's/.*"driver_version": "\(.*\)".*/\1/p' |
        tr '\n' ' '
}

title "1/4 Packages: compiler, CMake, OpenCL (PoCL for the CPU), SQLite, CLBlast"
ensure_packages cmake gcc make pkg-config ocl-icd-opencl-dev opencl-headers pocl-opencl-icd \
    libclblast-dev libsqlite3-dev libxxhash-dev
echo "All there."

title "2/4 Build: libsqa_cl and the program $sqa"
mkdir -p "$build"
: >"$log"
quietly cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DSQA_CL_BUILD_TESTS=OFF
quietly cmake --build "$build" -j "$(getconf _NPROCESSORS_ONLN)"
"$sqa" --version

title "3/4 Tune: kernels measured on your device, each checked against an fp64 reference"
SQA_CL_DEVICE=${SQA_CL_DEVICE:-$(first_device)}
if [ -z "$SQA_CL_DEVICE" ]; then
    echo "OpenCL lists no device here; \`$sqa info\` shows what it sees." >&2
    exit 1
fi
export SQA_CL_DEVICE
"$sqa" info --device "$SQA_CL_DEVICE"
database=$("$sqa" db path)
stamp="$SQA_CL_DEVICE $(device_name) $database"
if [ -f "$tuned" ] && [ -f "$database" ] && [ "$(cat "$tuned")" = "$stamp" ]; then
    echo "Tuned before: the results in $database are used as they are."
else
    echo "A minute of tuning; results go to $database"
    "$sqa" tune --preset quick --budget 60s
    printf '%s\n' "$stamp" >"$tuned"
fi

title "4/4 Compare: attention variants of an 8-head model, 2048 tokens, head dimension 64"
"$sqa" bench --variant mha,gqa,mqa,sqa,ssqa,xsqa --heads 8 --dim 64 --seq 2048 --against-default

cat <<END

Done. The tuned kernels are found by every program that uses libsqa_cl as you.
Where "vs default" is about 1.00x, what the library does untuned was already near the best
of what a minute finds; a device or shape that nobody has measured has more to gain.
What to try next:
  $sqa tune --shape hq=16,hkv=4,n=1024,d=128,causal --budget 60s    your own shape
  $sqa bench --variant mha,sqa,xsqa --heads 16 --seq 1024,4096      other sizes
  $sqa db best --user-db                                            what was found
END
