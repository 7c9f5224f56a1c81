#!/bin/sh
# The step of the build that checks what ships: good lines become a database, and one
# bad line among them fails the build and is named.
#   seed_build.sh PATH/TO/sqa_build_seed SEED_FOLDER
set -u
build_seed=$1
seed=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
    echo "FAILED: $1"
    failures=$((failures + 1))
}

# Every file that ships, as the build does it.
"$build_seed" "$work/seed.c" "$seed"/*.jsonl || fail "what ships is refused"
grep -q 'sqa_seed_database_size = [1-9]' "$work/seed.c" || fail "no database was made"

# The first line, spoilt in one way at a time.
cat "$seed"/*.jsonl | sed 1q >"$work/good.jsonl"
"$build_seed" "$work/good.c" "$work/good.jsonl" || fail "a good line is refused"
while IFS='|' read -r expression reason; do
    cat "$work/good.jsonl" >"$work/mixed.jsonl"
    sed "$expression" "$work/good.jsonl" >>"$work/mixed.jsonl"
    rm -f "$work/bad.c"
    if "$build_seed" "$work/bad.c" "$work/mixed.jsonl" >"$work/out" 2>&1; then
        fail "'$expression' passed"
    fi
    grep -q "line 2.*$reason" "$work/out" || fail "'$expression': $(cat "$work/out")"
    [ ! -e "$work/bad.c" ] || fail "'$expression': a database was written"
done <<'SPOILT'
s/"config":"[^"]*"/"config":"SPEED=9"/|config
s/"space_version":[0-9]*/"space_version":99/|space_version
s/"local_memory_bytes":[0-9]*,/"local_memory_bytes":0,"x":1,/|is not one of
s/"median_ms":[0-9.]*/"median_ms":0.001/|gflops
s/"winner":true/"winner":2/|winner
s/"max_error":[-0-9.e]*/"max_error":1.0/|max_error
SPOILT

# The same line twice is a slip, too.
cat "$work/good.jsonl" "$work/good.jsonl" >"$work/twice.jsonl"
"$build_seed" "$work/twice.c" "$work/twice.jsonl" 2>"$work/out" && fail "a line that is there twice"
grep -q "twice" "$work/out" || fail "twice: $(cat "$work/out")"

[ "$failures" -eq 0 ] && echo "seed build: all well"
exit $((failures > 0))
