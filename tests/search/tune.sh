#!/bin/sh
# sqa tune from outside: faulty candidates are recorded and the run goes on,
# interrupted runs keep what they found and are resumed, the winner is dispatched.
#   sh tune.sh SQA
set -u
sqa=$1
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
SQA_CL_DB=$place/tuning.db
export SQA_CL_DB
shape=hq=2,n=96,d=16
failures=0

fail() {
    echo "FAILED: $1"
    failures=$((failures + 1))
}

# has NAME TEXT PATTERN: the text contains the pattern.
has() {
    printf '%s\n' "$2" | grep -q -- "$3" || {
        fail "$1: no '$3' in:"
        printf '%s\n' "$2"
    }
}

# recorded LENGTH: waits until a trial of that query length is in the database.
recorded() {
    waited=0
    until "$sqa" db list --json 2>/dev/null | grep -q "\"q_length\": $1,"; do
        waited=$((waited + 1))
        [ $waited -lt 120 ] || { fail "no trial of length $1 after 120 s"; return; }
        sleep 1
    done
}

# A kernel that crashes, one that hangs, one that is wrong, one that cannot be timed:
# typed and survived.
for pair in crash:crashed hang:timeout wrong:wrong_result noisy:too_noisy; do
    out=$(SQA_CL_TEST_FAULT=${pair%%:*}:tiled "$sqa" tune --shape $shape --budget 4t --timeout 5 \
        --strategy random --db "$place/${pair%%:*}.db" --json 2>/dev/null) || fail "$pair: exit status"
    has "$pair" "$out" "\"${pair##*:}\": [1-9]"
    has "$pair" "$out" '"tuned": true'
    has "$pair" "$("$sqa" db list --db "$place/${pair%%:*}.db" --json)" "\"${pair##*:}\""
    has "$pair: source" "$("$sqa" db export --db "$place/${pair%%:*}.db")" \
        '"source_hash":"[0-9a-f]\{32\}"'
done

# Everything wrong: nothing wins, and nothing is claimed.
out=$(SQA_CL_TEST_FAULT=wrong "$sqa" tune --shape $shape --budget 2t --db "$place/none.db" --json \
    2>/dev/null) || fail "all wrong: exit status"
has "all wrong" "$out" '"tuned": false'
has "all wrong" "$("$sqa" db check --db "$place/none.db" --json)" '"winners": 0'

# The same command again repeats nothing it knows; the winner is what is used.
"$sqa" tune --shape $shape --budget 4t --seed 7 >/dev/null 2>&1 || fail "tune: exit status"
out=$("$sqa" tune --shape $shape --budget 1t --seed 7 --json 2>/dev/null) || fail "resume: exit status"
has resume "$out" '"known": [1-9]'
out=$("$sqa" bench --variant sqa --heads 4 --seq 96 --dim 16 --rounds 1 --json) ||
    fail "bench: exit status"
has bench "$out" '"source": "user-db"'
has bench "$out" '"speedup_vs_mha": [0-9]'

# Ended gently: a result, exit status 0. Ended at once: a sound database.
"$sqa" tune --shape hq=2,n=128,d=16 --budget 60s >"$place/out" 2>&1 &
tuner=$!
recorded 128
kill -INT $tuner
wait $tuner || fail "interrupted: exit status"
has interrupted "$(cat "$place/out")" 'what was found is kept'
"$sqa" tune --shape hq=2,n=160,d=16 --budget 60s >/dev/null 2>&1 &
tuner=$!
recorded 160
kill -KILL $tuner
wait $tuner 2>/dev/null
"$sqa" db check >/dev/null || fail "killed: the database is not sound"
out=$("$sqa" tune --shape hq=2,n=160,d=16 --budget 1t --json 2>/dev/null) || fail "after the kill"
has "after the kill" "$out" '"known": [1-9]'

[ $failures -eq 0 ] && echo "tune: all well"
exit $((failures > 0))
