#!/bin/sh
# A device whose name and driver are no UTF-8: what is tuned on it is stored, read, shared and
# used like that of any other.
#   odd_names.sh PATH/TO/sqa PATH/TO/odd_names.so
set -u
sqa=$1
odd_names=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
SQA_CL_DB=$work/tuning.db
ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0
export SQA_CL_DB ASAN_OPTIONS
failures=0

fail() {
    echo "FAILED: $1"
    failures=$((failures + 1))
}

odd() {
    LD_PRELOAD=$odd_names "$sqa" "$@"
}

# says NAME TEXT: the last output contains the text.
says() {
    grep -qF -e "$2" out || fail "$1: no '$2' in: $(cat out)"
}

odd info >out 2>&1 || fail "info: $(cat out)"
says info 'cpu-Paper\xae Tiger\xe9 \\xae'
says info '1.0\xff-beta'
odd info --profile >box.profile 2>err || fail "profile: $(cat err)"
"$sqa" source --shape hq=1,n=16,d=8 --device-profile box.profile >out 2>&1 || fail "source: $(cat out)"

# Twice: the second run finds what the first one stored.
odd tune --shape hq=1,n=16,d=8 --budget 2t --family naive >out 2>&1 || fail "tune: $(cat out)"
trials=$("$sqa" db list --user-db --csv | wc -l)
[ "$trials" -ge 2 ] || fail "tune: nothing is stored"
odd tune --shape hq=1,n=16,d=8 --budget 2t --family naive >out 2>&1 || fail "again: $(cat out)"

for command in list best query; do
    "$sqa" db $command --user-db --device tiger >out 2>err || fail "$command: $(cat err)"
    says $command paper-tiger
    [ ! -s err ] || fail "$command: $(cat err)"
done
"$sqa" db best --user-db >out
says best '1.0\xff-beta'
"$sqa" db show 1 --user-db >out 2>&1 || fail "show: $(cat out)"
says show 'cpu-Paper\xae Tiger\xe9 \\xae'
"$sqa" db check >out 2>&1 || fail "check: $(cat out)"
says check sound
! grep -q 'would not pass' out || fail "check: $(cat out)"
"$sqa" report --user-db --no-pictures --out page.html >out 2>&1 || fail "report: $(cat out)"
cp page.html out
says report 'cpu-Paper\xae Tiger\xe9 \\xae'

# Out, in, and the same out again.
"$sqa" db export >lines.jsonl 2>err || fail "export: $(cat err)"
"$sqa" db import lines.jsonl --db copy.db >out 2>&1 || fail "import: $(cat out)"
"$sqa" db export --db copy.db | cmp - lines.jsonl || fail "the copy differs"

# And dispatched from: the exact rung, from the database.
odd source --shape hq=1,n=16,d=8 >out 2>&1 || fail "dispatch: $(cat out)"
says dispatch 'chosen by exact (user-db)'

# As an extra database, beside a user's own that is not there.
SQA_CL_EXTRA_DBS=$SQA_CL_DB SQA_CL_DB=$work/none.db
export SQA_CL_EXTRA_DBS
odd source --shape hq=1,n=16,d=8 >out 2>&1 || fail "extra: $(cat out)"
says extra 'chosen by exact (extra-db)'
odd source --shape hq=1,n=16,d=8 --db "$SQA_CL_EXTRA_DBS" >out 2>&1 || fail "both: $(cat out)"
says both 'chosen by exact (user-db)'

[ "$failures" -eq 0 ] && echo "odd names: all well"
exit $((failures > 0))
