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

# What was found must not depend on how busy the machine is, but where times are the point.
SQA_CL_TEST_FAULT=steady
export SQA_CL_TEST_FAULT

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
    until "$sqa" db list --user-db --json 2>/dev/null | grep -q "\"q_length\": $1,"; do
        waited=$((waited + 1))
        [ $waited -lt 120 ] || { fail "no trial of length $1 after 120 s"; return; }
        sleep 1
    done
}

# A kernel that crashes, one that hangs, one that is wrong: typed and survived.
for pair in crash:crashed hang:timeout wrong:wrong_result; do
    out=$(SQA_CL_TEST_FAULT=${pair%%:*}:tiled "$sqa" tune --shape $shape --budget 4t --timeout 15 \
        --strategy random --db "$place/${pair%%:*}.db" --json 2>/dev/null) || fail "$pair: exit status"
    has "$pair" "$out" "\"${pair##*:}\": [1-9]"
    has "$pair" "$out" '"tuned": true'
    has "$pair" "$("$sqa" db list --db "$place/${pair%%:*}.db" --json)" "\"${pair##*:}\""
    has "$pair: source" "$("$sqa" db export --db "$place/${pair%%:*}.db")" \
        '"source_hash":"[0-9a-f]\{32\}"'
done

# A family with instructions of its own is asked about first, once: a compiler that refuses it, gets
# it wrong, crashes or hangs is remembered, and said where another family is used.
for pair in refuse:compile_failed wrong:wrong_result crash:crashed hang:timeout; do
    out=$(SQA_CL_TEST_MATRIX_UNITS=mma SQA_CL_TEST_FAULT=${pair%%:*}:mma "$sqa" tune --probe \
        --timeout 1 --db "$place/probe.db") || fail "probe, $pair: exit status"
    has "probe, $pair" "$out" "^mma of forward: ${pair##*:}, .*; other families are used"
done
# A run asks by itself, what nobody asked before.
for expected in 1 0; do
    SQA_CL_TEST_MATRIX_UNITS=mma SQA_CL_TEST_FAULT=wrong:mma "$sqa" tune --shape $shape,dtype=f16 \
        --family naive --budget 1t --db "$place/asks.db" >/dev/null 2>"$place/out" ||
        fail "a run that asks: exit status"
    [ "$(grep -c 'mma is left aside: its probe: wrong_result' "$place/out")" -eq $expected ] ||
        fail "a run that asks: not $expected times: $(cat "$place/out")"
done

# What would be done, from a file, from a preset and like another database.
printf '# two\nhq=2,n=64,d=16 # the first\n\n  hq=1,n=32,d=8  \nhq=2,n=64,d=16\n' >"$place/shapes"
out=$("$sqa" tune --dry-run --shapes "$place/shapes" --budget 50t --json) || fail "dry run"
has "dry run" "$out" '"shape": "b=1,hq=1,hkv=1,nq=32,nk=32,d=8"'
[ "$(printf '%s\n' "$out" | grep -c '"shape"')" -eq 2 ] || fail "dry run: not two shapes"
has "dry run" "$out" '"rows": [1-9][0-9][0-9]'
has "dry run" "$out" '"trials": '
for preset in encoder decode; do
    out=$("$sqa" tune --dry-run --preset $preset --family rows) || fail "$preset: exit status"
    has "$preset" "$out" 'at most 1:00'
done
printf 'hq=2,n=64\nhq=0\n' >"$place/shapes"
"$sqa" tune --dry-run --shapes "$place/shapes" 2>"$place/out" && fail "a wrong shape passed"
has "wrong shape" "$(cat "$place/out")" 'line 2'
out=$("$sqa" tune --dry-run --like "$place/crash.db" --device 0:0 --device 0:0) || fail "like"
[ "$(printf '%s\n' "$out" | grep -c 'hq=2,hkv=2,nq=96,nk=96,d=16')" -eq 2 ] ||
    fail "like: not the one shape on either device: $out"

# Times that tell nothing: typed, and no winner by them. The untuned configuration is one.
out=$(SQA_CL_TEST_FAULT=noisy:rows:UNROLL=4 "$sqa" tune --shape $shape --family rows --budget 6t \
    --strategy random --db "$place/noisy.db" --json 2>/dev/null) || fail "noisy: exit status"
has noisy "$out" '"too_noisy": [1-9]'
has noisy "$out" '"tuned": true'

# What crashed is not tried again, unless asked for; a noisy result is.
out=$("$sqa" tune --shape $shape --family tiled --budget 40t --strategy exhaustive --patience 1 \
    --db "$place/crash.db" --json 2>/dev/null) || fail "after a crash: exit status"
has "after a crash" "$out" '"known": [1-9]'
crashes=$("$sqa" db list --db "$place/crash.db" --json | grep -c '"crashed"')
out=$(SQA_CL_TEST_FAULT=crash:tiled "$sqa" tune --shape $shape --budget 4t --strategy random \
    --db "$place/crash.db" --json 2>/dev/null) || fail "crashed again: exit status"
has "known crashes" "$out" '"known": [1-9]'
SQA_CL_TEST_FAULT=crash:tiled "$sqa" tune --shape $shape --budget 4t --strategy random \
    --retry-failed --db "$place/crash.db" >/dev/null 2>&1 || fail "--retry-failed: exit status"
again=$("$sqa" db list --db "$place/crash.db" --json | grep -c '"crashed"')
[ "$again" -gt "$crashes" ] || fail "--retry-failed tried none of $crashes again"

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

# Problems of one program share it, and each of them gets its trials.
printf 'hq=2,n=64,d=16\nhq=4,n=80,d=16\nhq=2,hkv=1,n=96,d=16\nhq=4,n=80,d=16\n' >"$place/shapes"
out=$("$sqa" tune --shapes "$place/shapes" --family rows --budget 9t --db "$place/three.db" --json \
    2>/dev/null) || fail "shared: exit status"
[ "$(printf '%s\n' "$out" | grep -c '"shape": ')" -eq 3 ] || fail "shared: not three problems"
[ "$(printf '%s\n' "$out" | sed -n '/"shape": /{p;q;}' | grep -c hq=4,hkv=4)" -eq 1 ] ||
    fail "shared: the most frequent shape is not the first"
programs=$("$sqa" db export --db "$place/three.db" | grep '"final":false' |
    sed 's/.*"source_hash":"\([0-9a-f]*\)".*/\1/' | sort -u | wc -l)
trials=$("$sqa" db export --db "$place/three.db" | grep -c '"final":false')
[ "$trials" -eq 9 ] && [ "$programs" -lt 9 ] || fail "shared: $programs programs, $trials trials"
has "shared: yardstick" "$("$sqa" db export --db "$place/three.db" | grep '"final":true')" \
    '"yardstick_ms":[0-9]'

# A default that met nobody has won nothing: it is not tuned, and not to be contributed.
out=$("$sqa" tune --shape $shape --family rows --budget 1t --db "$place/alone.db" --json 2>/dev/null) ||
    fail "alone: exit status"
has alone "$out" '"tuned": false'
has alone "$out" 'nothing but the default was tried'
has alone "$("$sqa" db check --db "$place/alone.db" --json)" '"winners": 0'

# What a program plans is recorded, a line a plan, and can be tuned.
SQA_CL_RECORD=$place/used "$sqa" bench --variant sqa --heads 4 --seq 64 --dim 16 --rounds 1 >/dev/null ||
    fail "record of use: exit status"
has "record of use" "$(cat "$place/used")" '^b=1,hq=2,hkv=1,nq=64,nk=64,d=16$'
"$sqa" tune --dry-run --shapes "$place/used" >/dev/null || fail "record of use: not for tuning"

# A winner over other candidates than there are today is still dispatched, but the contest is
# open again; what was tried stays known.
has current "$("$sqa" db check --json)" '"reopened": 0'
"$sqa" db export | sed 's/"candidates":"[0-9a-f]*"/"candidates":"00ff"/' |
    "$sqa" db import - --db "$place/old.db" >/dev/null || fail "other candidates: import"
has "other candidates" "$("$sqa" db check --db "$place/old.db" --json)" '"reopened": 1'
has "other candidates" "$("$sqa" db best --db "$place/old.db" --json)" '"winner": true'
out=$("$sqa" tune --shape $shape --budget 1t --seed 7 --db "$place/old.db" --json 2>/dev/null) ||
    fail "other candidates: exit status"
has "other candidates" "$out" '"known": [1-9]'
has "other candidates" "$("$sqa" db check --db "$place/old.db" --json)" '"reopened": 0'

# A sweep is recorded in parts and replayed; another one's file is left alone.
narrow="--family rows --set LANES=8,RV=1|2,MC=2|4,MD=2,TILES=1,KEYS=24,UNROLL=1,PACK=0,EXP=0,SHARE=0,SPLIT=1"
has narrowed "$("$sqa" tune --dry-run --shape $shape $narrow --json)" '"rows": 5' # and the default
"$sqa" tune --dry-run --shape $shape --family rows --set RV=77 2>"$place/out" && fail "RV=77 passed"
has "no such value" "$(cat "$place/out")" 'RV'
out=$("$sqa" tune --record "$place/sweep" --shape $shape $narrow --budget 1t --json) ||
    fail "record: exit status"
has record "$out" '"recorded": 1'
"$sqa" tune --replay "$place/sweep" >/dev/null 2>"$place/out" && fail "a part was replayed"
has "part of a sweep" "$(cat "$place/out")" '1 of 4 configurations'
printf '{"config' >>"$place/sweep" # as a kill may leave it
out=$("$sqa" tune --record "$place/sweep" --shape $shape $narrow --json) || fail "record on"
has "record on" "$out" '"known": 1'
has "record on" "$out" '"recorded": 4'
[ "$(wc -l <"$place/sweep")" -eq 5 ] || fail "not a header and four configurations"
"$sqa" tune --record "$place/sweep" --shape hq=2,n=64,d=16 $narrow >/dev/null 2>&1
[ $? -eq 2 ] || fail "another shape's sweep: exit status"
for form in --json --csv; do
    first=$("$sqa" tune --replay "$place/sweep" --strategy all --runs 20 --seed 3 $form) ||
        fail "replay $form: exit status"
    again=$("$sqa" tune --replay "$place/sweep" --strategy all --runs 20 --seed 3 $form)
    [ "$first" = "$again" ] || fail "replay $form: not the same again"
done
has replay "$first" 'sweep,random,4,10,1.0000,1.0000,1.0000'

# Ended gently: a result, exit status 0. Ended at once: a sound database; which of the few
# configurations was tried first by then is open.
"$sqa" tune --shape hq=2,n=128,d=16 --budget 60s >"$place/out" 2>&1 &
tuner=$!
recorded 128
kill -INT $tuner
wait $tuner || fail "interrupted: exit status"
has interrupted "$(cat "$place/out")" 'what was found is kept'
"$sqa" tune --shape hq=2,n=160,d=16 $narrow --budget 60s >/dev/null 2>&1 &
tuner=$!
recorded 160
kill -KILL $tuner
wait $tuner 2>/dev/null
"$sqa" db check >/dev/null || fail "killed: the database is not sound"
out=$("$sqa" tune --shape hq=2,n=160,d=16 $narrow --budget 9t --json 2>/dev/null) ||
    fail "after the kill"
has "after the kill" "$out" '"known": [1-9]'

[ $failures -eq 0 ] && echo "tune: all well"
exit $((failures > 0))
