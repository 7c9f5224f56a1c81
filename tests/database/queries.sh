#!/bin/sh
# The queries of db/README.md, as they stand there, on a database with trials of more than
# one operation.
#   queries.sh PATH/TO/sqa SEED_FOLDER README
set -u
sqa=$1
seed=$2
readme=$3
command -v sqlite3 >/dev/null 2>&1 || exit 77
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
SQA_CL_DB=$work/tuning.db
PATH=$(dirname "$sqa"):$PATH
export SQA_CL_DB PATH
failures=0

fail() {
    echo "FAILED: $1"
    failures=$((failures + 1))
}

cat "$seed"/*.jsonl >"$work/lines.jsonl"
sed -n '1{
s/"forward","shape":"[^"]*"/"select_blocks","shape":"op=select_blocks,b=1,hq=8,hkv=2,nq=4096,nk=4096,d=64,causal,blocks=64x64\/k,topk=16,localblocks=1"/
s/"rows"/"select"/; s/"config":"[^"]*"/"config":"POOL=4,SLICES=4,ITEMS=64,VEC=4,ROWS=1"/
s/"max_error":[^,]*/"max_error":0.0/; s/"median_ms":[^,]*/"median_ms":0.5/; s/"gflops":[^,]*/"gflops":7.340032/
p
}' "$work/lines.jsonl" >>"$work/lines.jsonl.select"
sqa db import "$work/lines.jsonl" >"$work/out" 2>&1 || fail "import: $(cat "$work/out")"
sqa db import "$work/lines.jsonl.select" >"$work/out" 2>&1 || fail "import: $(cat "$work/out")"

# One file per query, which begins at a line of its own and ends with the quote.
awk -v to="$work/query" '/^```/ { inside = !inside } /^sqlite3 / && inside { number++; taken = 1 }
    taken && inside { print > (to number) } !inside { taken = 0 }' "$readme"
queries=0
for query in "$work"/query*; do
    queries=$((queries + 1))
    sh -eu "$query" >"$work/out" 2>&1 || fail "$(cat "$query"): $(cat "$work/out")"
    [ "$(wc -l <"$work/out")" -ge 2 ] || fail "$(cat "$query"): no rows"
done
[ "$queries" -ge 4 ] || fail "only $queries queries were found in $readme"

# Every view can be read to its end; those that programs read need no trust in the file.
for view in timed result leader best best_forward best_select_blocks \
    best_backward best_backward_delta best_matmul best_activation best_linear best_merge \
    best_rope best_norm best_norm_backward best_kv_append; do
    sqlite3 "$SQA_CL_DB" "SELECT * FROM $view" >"$work/out" 2>&1 || fail "$view: $(cat "$work/out")"
done
for view in timed result leader best; do
    sqlite3 "$SQA_CL_DB" "PRAGMA trusted_schema = OFF; SELECT * FROM $view" >"$work/out" 2>&1 ||
        fail "$view, untrusted: $(cat "$work/out")"
done

# The names of variants are those of a model of the most heads.
sqlite3 "$SQA_CL_DB" "SELECT variant, q_heads, model_heads FROM best_forward WHERE q_length = 4096" |
    grep -q '^mha|8|8$' || fail "mha is not found"

[ "$failures" -eq 0 ] && echo "queries: all well"
exit $((failures > 0))
