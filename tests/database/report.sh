#!/bin/sh
# `sqa report`: one page, complete in itself, whatever the database says.
#   report.sh PATH/TO/sqa SEED_FOLDER
set -u
sqa=$1
seed=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
SQA_CL_DB=$work/tuning.db
export SQA_CL_DB
failures=0

fail() {
    echo "FAILED: $1"
    failures=$((failures + 1))
}

# count PATTERN FILE: how many times it is there.
count() {
    grep -oE "$1" "$2" | wc -l
}

# check_page FILE: every element is closed, and nothing is fetched or run.
check_page() {
    for element in html head body main dl table thead tbody tr td th figure svg h2 h3 p footer; do
        [ "$(count "<$element[ >]" "$1")" -eq "$(count "</$element>" "$1")" ] ||
            fail "$1: <$element> is not closed"
    done
    ! grep -qiE '<script|<link|<img|<iframe|javascript:| on[a-z]+=|@import|url\(' "$1" ||
        fail "$1: something that is fetched or run"
    # The names of XML's vocabularies are no addresses that anybody asks.
    ! grep -oE 'https?://[^"]*' "$1" | grep -qv '^http://www.w3.org/' || fail "$1: an address"
    [ "$(count ' id="' "$1")" -eq 0 ] || fail "$1: names that may be there twice"
}

# Before there is anything.
"$sqa" report --help | grep -q 'usage: sqa report' || fail "--help"
"$sqa" report --user-db >out 2>&1 && fail "a database that is not there"
grep -q 'no tuning database' out || fail "no database: $(cat out)"
[ ! -e sqa-report.html ] || fail "a page of nothing"
"$sqa" report --no-pictures >out 2>&1 || fail "a fresh install: $(cat out)"
grep -q "seed-db" sqa-report.html || fail "a fresh install: no source"
"$sqa" report --frobnicate >out 2>&1
[ $? -eq 2 ] || fail "an unknown option"

# What ships, with pictures where gnuplot is.
"$sqa" report --seed-db >out 2>err || fail "seed: $(cat err)"
[ "$(cat out)" = sqa-report.html ] || fail "the file's name"
check_page sqa-report.html
grep -q 'Best per problem' sqa-report.html || fail "no best"
grep -q 'GFLOP/s of fused multiply-adds' sqa-report.html || fail "no ceiling"

# What a model says stands apart, with no figure that looks measured.
head -n 1 "$seed"/*haswell*.jsonl | sed -e 's/"status":.*"samples":[0-9]*/"status":"modelled",\
"median_ms":null,"spread_ms":null,"max_error":null,"modelled":0.5,"gflops":null,\
"ceiling_gflops":null,"ceiling_matrix_gflops":null,"ceiling_copy_gbs":null,\
"ceiling_read_gbs":null,"build_ms":null,"samples":0/' -e 's/"final":true/"final":false/' \
    -e 's/"winner":true/"winner":false/' -e 's/"message":""/"message":"a model of mine"/' |
    tr -d '\n' >modelled.jsonl
"$sqa" db import modelled.jsonl --db modelled.db >out 2>&1 || fail "modelled: $(cat out)"
"$sqa" report --db modelled.db --out modelled.html >out 2>&1 || fail "modelled: $(cat out)"
check_page modelled.html
for words in 'Modelled, never measured' 'a model of mine' '>50 %<' 'Trials: 1 modelled.'; do
    grep -qF "$words" modelled.html || fail "modelled: no $words"
done
! grep -q 'Best per problem' modelled.html || fail "modelled: taken for a measurement"
"$sqa" db best --db modelled.db --wide >out 2>&1
grep -q ' 50% ' out || fail "modelled, list: $(cat out)"
"$sqa" db show 1 --db modelled.db >out 2>&1
grep -q 'modelled *50 % of the rate of multiply-adds; never measured' out ||
    fail "modelled, show: $(cat out)"
"$sqa" db export --db modelled.db | grep -q '"status":"modelled","median_ms":null.*"modelled":0.5,' ||
    fail "modelled, export"

# A search with a default, a variant and failures.
for shape in hq=4,n=64,d=8 hq=1,n=64,d=8; do
    "$sqa" tune --shape $shape --budget 3t --family naive >out 2>&1 || fail "tune: $(cat out)"
done
"$sqa" report --user-db --out mine.html >out 2>err || fail "mine: $(cat err)"
check_page mine.html
for words in 'Tuned against default' 'Variants against MHA' 'Searches' 'xsqa' 'Trials: '; do
    grep -q "$words" mine.html || fail "mine.html has no '$words'"
done
if command -v gnuplot >/dev/null 2>&1; then
    [ "$(count '<svg' mine.html)" -ge 2 ] || fail "no pictures"
    "$sqa" report --out plain.html --no-pictures >out 2>&1 || fail "--no-pictures"
    ! grep -q '<svg' plain.html || fail "pictures in spite of --no-pictures"
fi
mkdir bin
PATH=$work/bin "$sqa" report --out bare.html >out 2>err || fail "without gnuplot: $(cat err)"
grep -q 'without pictures' err || fail "without gnuplot: no word of it"
check_page bare.html

# All that the library combines, each device with its source.
"$sqa" report --out all.html --no-pictures >out 2>&1 || fail "all: $(cat out)"
check_page all.html
for words in user-db seed-db "$SQA_CL_DB, built into the library"; do
    grep -q "$words" all.html || fail "all.html has no '$words'"
done

# A database that means harm.
sed 's/"device_name":"[^"]*"/"device_name":"<script>alert(1)<\/script>\&amp;\\"'"'"'"/;
     s/"driver_version":"[^"]*"/"driver_version":"<img src=x onerror=alert(1)>\\u001b[2J"/' \
    "$seed"/*.jsonl >hostile.jsonl
"$sqa" db import hostile.jsonl --db hostile.db >out 2>&1 || fail "hostile import: $(cat out)"
"$sqa" report --db hostile.db --out hostile.html >out 2>err || fail "hostile: $(cat err)"
grep -q '&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;&quot;&#39;' hostile.html || fail "escapes"
grep -q '&lt;img src=x' hostile.html || fail "escapes of the driver"
[ "$(count '<script' hostile.html)" -eq 0 ] || fail "a script got through"
[ "$(count '<img' hostile.html)" -eq 0 ] || fail "an image got through"

# A problem that is none, in a database that somebody made: its text runs nothing.
if command -v sqlite3 >/dev/null 2>&1 && command -v gnuplot >/dev/null 2>&1; then
    cp tuning.db spoilt.db
    sqlite3 spoilt.db "UPDATE problem SET shape = shape || ',x=''\"\`touch pwned\`; system(''touch pwned'')
END
system(''touch pwned'')'" || fail "sqlite3"
    "$sqa" report --db spoilt.db --out spoilt.html >out 2>err || fail "spoilt: $(cat err)"
    grep -q 'touch?pwned' spoilt.html || fail "spoilt: the problem is not shown"
    [ ! -e pwned ] || fail "a problem's text was run"
fi

# A place that cannot be written leaves nothing, and what was there stays.
"$sqa" report --seed-db --out no/such/folder/page.html >out 2>&1 && fail "an impossible place"
grep -q -- '--out' out || fail "an impossible place: $(cat out)"

[ "$failures" -eq 0 ] && echo "report: all well"
exit $((failures > 0))
