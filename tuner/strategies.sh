#!/bin/sh
# Draws db/pictures/strategies.svg: how near the best of the recorded sweeps each
# strategy gets, by evaluations. Needs gnuplot, no device.
#   sh tuner/strategies.sh [SQA]
set -eu
cd "$(dirname "$0")/.."
sqa=${1:-build/bin/sqa}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
replays=
for sweep in tests/search/sweeps/*.jsonl; do
    replays="$replays --replay $sweep"
done
# shellcheck disable=SC2086 # the words are options
"$sqa" tune $replays --strategy all --runs 1000 --csv \
    --budget-trials 2,4,6,8,10,12,15,20,25,30,35,40,50,60,80,100 >"$place/replays.csv" # minutes
strategies=$(cut -d, -f2 "$place/replays.csv" | sed 1d | grep -v exhaustive | sort -u)
sweeps=$(cut -d, -f1 "$place/replays.csv" | sed 1d | sort -u)
for sweep in $sweeps; do
    for strategy in $strategies; do
        grep "^$sweep,$strategy," "$place/replays.csv" >"$place/$sweep.$strategy"
    done
done
count=$(echo "$sweeps" | wc -l)
LC_ALL=C.UTF-8 gnuplot >"$place/picture.svg" <<END
set terminal svg size $((count * 400)),420 background rgb 'white' font 'sans-serif,12'
set datafile separator ','
set multiplot layout 1,$count
set xlabel 'evaluations (thin: what 95 of 100 runs reach)'
set ylabel 'speed of the best found / of the best'
set logscale x 2
set xtics (2, 4, 8, 15, 30, 60, 100)
set yrange [0.5:1.01]
set grid ytics lc rgb '#dddddd'
set key bottom right
array colours[5] = ['#e69f00', '#009e73', '#0060c0', '#c03090', '#909090']
do for [sweep in '$(echo $sweeps)'] {
    set title sweep[1:strlen(sweep) - 6] noenhanced
    list = '$(echo $strategies)'
    plot for [i = 1:words(list)] sprintf('$place/%s.%s', sweep, word(list, i)) using 4:5 \\
             with lines lw 2.5 lc rgb colours[i] title word(list, i), \\
         for [i = 1:words(list)] sprintf('$place/%s.%s', sweep, word(list, i)) using 4:6 \\
             with lines lw 1 lc rgb colours[i] notitle
}
END
cp "$place/picture.svg" db/pictures/strategies.svg
