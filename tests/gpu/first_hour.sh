#!/bin/sh
# The first hour on a GPU: what is to be known of a device that nobody tuned for, in one archive to
# send. Every step has its share of the time, and one that fails does not keep the next from
# running; your own database and caches stay as they are.
#   first_hour.sh SQA_PROGRAM [P:D] [--rehearsal]
# P:D is the device, as `sqa info` numbers it (0:0). --rehearsal: small problems and a few minutes,
# to see that all of it works, on PoCL for example. The archive, first-hour-DEVICE.tar.gz, is
# written to the working folder. Exit status 1: a step failed; its log is in the archive.
set -u
rehearsal=
device=0:0
sqa=
for argument in "$@"; do
    case $argument in
    --rehearsal) rehearsal=yes ;;
    [0-9]*:[0-9]*) device=$argument ;;
    -*) echo "first_hour.sh: '$argument' is not an option" >&2; exit 2 ;;
    *) sqa=$argument ;;
    esac
done
if ! command -v "$sqa" >/dev/null 2>&1; then
    echo "first_hour.sh: which sqa? expected its path" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
out=$work/first-hour
mkdir "$out"
export SQA_CL_DB="$work/own.db" SQA_CL_CACHE="$work/cache" XDG_DATA_HOME="$work"
failed=0

# Minutes of the steps, and the sizes of what they look at.
if [ -n "$rehearsal" ]; then
    checks='--shape hq=2,hkv=1,nq=20,nk=40,d=16,causal' minutes=4 heads=2 keys=128
    preset='--shape hq=2,n=128,d=32,causal' budget=4t
else
    checks=--quick minutes=12 heads=16 keys=4096 preset='--preset quick' budget=20m
fi

# step NAME MINUTES COMMAND...: its output and messages become files of the archive.
step() {
    name=$1 limit=$2
    shift 2
    echo "== $name"
    timeout -s INT -k 60 $((60 * limit)) "$@" >"$out/$name" 2>"$out/$name.log"
    code=$?
    echo "$name: exit status $code" >>"$out/steps.txt"
    [ "$code" -eq 0 ] || { failed=1; echo "failed ($code): $(tail -n 1 "$out/$name.log")"; }
    [ -s "$out/$name.log" ] || rm -f "$out/$name.log"
}

step device.json 5 "$sqa" info --device "$device" --peak --json
step device.profile 1 "$sqa" info --device "$device" --profile
step probe.json 2 "$sqa" tune --device "$device" --probe --json
sed -n 's/^ *"\(family\|status\)": "\(.*\)",*$/\2/p' "$out/probe.json" | paste -sd ' \n'
# checks and preset are options and their values.
# shellcheck disable=SC2086
step verify.json $((2 * minutes)) "$sqa" verify --device "$device" $checks --json
awk -F '[:,]' '/^ *"passed":/ { passed += $2 } /^ *"failed":/ { failed += $2 }
    END { print passed + 0 " checks passed, " failed + 0 " failed" }' "$out/verify.json"
rate=$(sed -n 's/^ *"fma_gflops": \([0-9.]*\),*$/\1/p' "$out/device.json" | head -n 1)
step model.txt "$minutes" sh "$here/modelled.sh" "$sqa" "$device" "$heads" "$keys" "${rate:-0}" \
    "$out"
# shellcheck disable=SC2086
step tune.json $((2 * minutes + 5)) "$sqa" tune --device "$device" $preset --budget "$budget" --json
step trials.jsonl 1 "$sqa" db export
step winners.jsonl 1 "$sqa" db export --best
[ -n "$rehearsal" ] || step bench.json "$minutes" "$sqa" bench --device "$device" --causal \
    --seq 1024,4096 --against-default --json

model=$(sed -n 's/^model=//p' "$out/device.profile")
archive=$PWD/first-hour-${model:-device}.tar.gz
tar -czf "$archive" -C "$work" first-hour || exit 1
cat "$out/model.txt"
echo "$archive"
exit "$failed"
