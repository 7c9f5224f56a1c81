#!/bin/sh
# The configurations of modelled.txt, one after the other: what each reaches of the ceiling of
# multiply-adds, beside the model's figures.
#   modelled.sh SQA_PROGRAM P:D HEADS KEYS CEILING_GFLOPS FOLDER
# FOLDER gets what was recorded.
set -u
sqa=$1 device=$2 heads=$3 keys=$4 rate=$5 out=$6
here=$(cd "$(dirname "$0")" && pwd)

# What was recorded: "ok" and milliseconds, or why there are none. The compiler may take longer
# than a trial usually has.
measure() {
    "$sqa" tune --device "$device" --record "$1" --shape "hq=$heads,n=$keys,d=$2,causal" \
        --family tiled --set "$3" --timeout 120 >&2
    [ ! -f "$1" ] || # it cannot run here
        sed -n 's/.*"status":"\([a-z_]*\)","median_ms":\([0-9.e+-]*\).*/\1 \2/p' "$1" | tail -n 1
}

echo "# part of the ceiling of $rate GFLOP/s: measured, modelled for A100, for H100"
grep -v '^#' "$here/modelled.txt" | while read -r name dimension a100 h100 config; do
    found=$(measure "$out/sweep-$name-$dimension.jsonl" "$dimension" "$config" </dev/null)
    ms=${found#ok }
    if [ "$ms" = "$found" ]; then
        echo "$name d=$dimension ${found:-cannot run here}"
        continue
    fi
    awk -v name="$name" -v d="$dimension" -v ms="$ms" -v rate="$rate" -v h="$heads" -v n="$keys" \
        -v a100="$a100" -v h100="$h100" 'BEGIN {
        gflops = 4 * h * n * (n + 1) / 2 * d / ms / 1e6
        part = rate > 0 ? sprintf("%.3f", gflops / rate) : "-"
        printf "%-9s d=%-3d %10.3f ms %9.1f GFLOP/s %7s %7s %7s\n", name, d, ms, gflops, part,
            a100, h100 }'
done
