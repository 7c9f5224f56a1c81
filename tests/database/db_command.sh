#!/bin/sh
# `sqa db` from outside: what each subcommand prints and how it exits.
#   db_command.sh PATH/TO/sqa
set -u
sqa=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
SQA_CL_DB=$work/tuning.db
export SQA_CL_DB
failures=0

# expect CODE TEXT COMMAND...: exit status, and a text in what it prints.
expect()
{
    code=$1
    text=$2
    shift 2
    "$@" >out 2>&1
    got=$?
    if [ "$got" -ne "$code" ] || ! grep -qF -e "$text" out; then
        echo "FAILED: $* exited $got, expected $code and '$text':"
        sed 's/^/    /' out
        failures=$((failures + 1))
    fi
}

cat >good.jsonl <<'LINE'
{"schema":2,"device":{"vendor":"paper","architecture":"origami","model":"tiger-8cu","runtime":"pocl","type":"cpu","platform_name":"Paper","device_name":"Paper Tiger 8","device_vendor":"Paper Inc.","board_name":"","nv_major":0,"nv_minor":0,"compute_units":8,"max_work_group_size":4096,"max_work_item_size_0":4096,"max_work_item_size_1":4096,"max_work_item_size_2":4096,"local_memory_bytes":1048576,"local_memory_is_global":true,"vector_width_float":8,"has_fp64":true,"has_compiler":true,"subgroups":"","global_memory_bytes":8589934592,"max_allocation_bytes":2147483648},"environment":{"platform_version":"OpenCL 3.0","device_version":"OpenCL 3.0","driver_version":"1.0","library_version":"0.1.0"},"problem":{"operation":"forward","shape":"b=1,hq=8,hkv=8,nq=1024,nk=1024,d=64"},"trial":{"family":"naive","space_version":1,"candidates":"00ff","config":"CHUNK=16","source_hash":null,"status":"ok","median_ms":10.0,"spread_ms":0.2,"yardstick_ms":null,"max_error":3.25e-07,"gflops":214.748365,"ceiling_gflops":1000.0,"ceiling_matrix_gflops":null,"ceiling_copy_gbs":50.0,"ceiling_read_gbs":null,"build_ms":210.5,"samples":11,"seed":1,"final":true,"message":"","recorded_at":"2026-01-31T12:00:00Z","winner":true}}
LINE
sed 's/CHUNK=16/CHUNK=15/' good.jsonl >bad.jsonl
# The same as lines had it before there were shapes, and a trial of another operation.
sed 's/"schema":2/"schema":1/; s/"candidates":[^,]*,//; s/"yardstick_ms":[^,]*,//; s/"ceiling_[mcr][a-z_]*":[^,]*,//g
    s/"shape":"[^"]*"/"dtype":"f32","head_dim":64,"value_dim":64,"batch":1,"q_heads":8,"kv_heads":8,"q_length":1024,"kv_length":1024,"causal":"none","pattern":"","write_lse":0,"layout":"bhsd"/
    s/2026-01-31/2025-12-31/' good.jsonl >old.jsonl
sed 's/"forward","shape":"[^"]*"/"select_blocks","shape":"op=select_blocks,b=1,hq=8,hkv=2,nq=4096,nk=4096,d=64,causal,blocks=64x64\/k,topk=16,localblocks=1"/
    s/"naive"/"select"/; s/"CHUNK=16"/"POOL=4,SLICES=4,ITEMS=64,VEC=4,ROWS=1"/; s/"max_error":[^,]*/"max_error":0.0/
    s/"median_ms":10.0/"median_ms":0.5/; s/"gflops":[^,]*/"gflops":7.340032/' good.jsonl >select.jsonl

expect 2 "usage: sqa db" "$sqa" db
expect 0 "usage: sqa db" "$sqa" db --help
expect 2 "not a subcommand" "$sqa" db frobnicate
for subcommand in list best query show export import merge diff prune check path; do
    expect 0 "usage: sqa db $subcommand" "$sqa" db $subcommand --help
    expect 2 "is not an option" "$sqa" db $subcommand 1 2 --frobnicate
done
for subcommand in list best query 'diff seed seed'; do
    # Meant to fall apart into words.
    # shellcheck disable=SC2086
    expect 2 "exclude each other" "$sqa" db $subcommand --json --csv
done
expect 2 "needs A B" "$sqa" db diff seed

# Before there is a database.
expect 0 "$work/tuning.db" "$sqa" db path
expect 0 "seed-db" "$sqa" db list
expect 1 "no tuning database" "$sqa" db list --user-db
expect 1 "no tuning database" "$sqa" db check
expect 1 "missing.jsonl" "$sqa" db import missing.jsonl
expect 0 "built into the library" "$sqa" db check --seed-db

# In, out and in again.
expect 0 "1 added" "$sqa" db import good.jsonl
expect 0 "1 already there" "$sqa" db import good.jsonl
# As some editors save it: a byte order mark, and other line ends.
{ printf '\357\273\277' && sed 's/$/\r/' good.jsonl; } >edited.jsonl
expect 0 "1 already there" "$sqa" db import edited.jsonl
expect 1 "Is a directory" "$sqa" db import .
expect 1 "CHUNK=15 is not one of" "$sqa" db import bad.jsonl
expect 0 '"known": 1' "$sqa" db import good.jsonl --json
expect 0 "1 trial written" "$sqa" db export --out copy.jsonl
cmp good.jsonl copy.jsonl || failures=$((failures + 1))
"$sqa" db export --best | cmp good.jsonl - || failures=$((failures + 1))
"$sqa" db import - --db second.db <good.jsonl >out || failures=$((failures + 1))
expect 0 "1 already there" "$sqa" db merge second.db
expect 2 "taken into" "$sqa" db merge tuning.db
expect 1 "missing.db" "$sqa" db merge missing.db
[ ! -e missing.db ] || failures=$((failures + 1))

expect 0 "1 added" "$sqa" db import old.jsonl --db old.db
expect 0 '"shape":"b=1,hq=8,hkv=8,nq=1024,nk=1024,d=64"' "$sqa" db export --db old.db

# Looking.
expect 0 "tiger-8cu" "$sqa" db list
expect 0 "CHUNK=16" "$sqa" db best --device TIGER --family naive --operation forward
expect 0 "no results" "$sqa" db best --device elephant
expect 2 "not one of" "$sqa" db best --family clever
expect 2 "not one of forward, select_blocks" "$sqa" db list --operation sideways
expect 2 "--seed-db and --db exclude each other" "$sqa" db list --seed-db --db second.db
expect 2 "--user-db and --db exclude each other" "$sqa" db query --user-db --db second.db
expect 2 "--seed-db and --user-db exclude each other" "$sqa" db show 1 --user-db --seed-db
for member in '"schema": 2' '"vendor": "paper"' '"driver": "1.0"' '"head_dim": 64' '"CHUNK": 16' \
    '"median_ms": 10' '"spread_ms": 0.2' '"fraction_of_ceiling": 0.214748365' \
    '"max_error": 3.25e-07' '"recorded_at": "2026-01-31T12:00:00Z"' '"library_version": "0.1.0"'; do
    expect 0 "$member" "$sqa" db best --json
done
expect 0 "214.748" "$sqa" db show 1
expect 0 '"winner": true' "$sqa" db show --json 1
expect 0 "user-db" "$sqa" db show 1
expect 1 "no trial 2" "$sqa" db show 2 --user-db
expect 0 "seed-db" "$sqa" db show 2
expect 0 '"source": "seed-db"' "$sqa" db show 1 --seed-db --json
expect 2 "not a trial's number" "$sqa" db show one
expect 0 "sound" "$sqa" db check
expect 0 '"sound": true' "$sqa" db check --json

# Choosing: every filter, known words only.
expect 0 "214.7" "$sqa" db list --vendor paper --variant mha --heads 8 --dim 64 --seq 1024 \
    --dtype f32 --mask none --status ok
for filter in '--vendor stone' '--variant mqa' '--variant sqa --heads 8' '--dim 32' '--seq 512' \
    '--dtype f16' '--mask causal' '--status crashed' '--heads 3'; do
    # shellcheck disable=SC2086
    expect 0 "no results" "$sqa" db list --user-db $filter
done
expect 0 "tiger-8cu" "$sqa" db best --variant xsqa --heads 32
expect 2 "mha, gqa" "$sqa" db list --variant zsqa
expect 2 "not one of f32" "$sqa" db list --dtype f8
expect 2 "not one of none" "$sqa" db query --mask sideways
expect 2 "not one of ok" "$sqa" db list --status fine
expect 2 "--dim is '0'" "$sqa" db query --dim 0
expect 2 "--heads is '1x'" "$sqa" db query --heads 1x
expect 0 "214.7" "$sqa" db query
expect 0 "mha" "$sqa" db query --variant mha --heads 8
expect 0 "no results" "$sqa" db query --user-db --variant sqa
expect 0 '"speedup_vs_mha": 1,' "$sqa" db query --json
expect 0 '"variant": "ssqa"' "$sqa" db query --json --heads 16
expect 0 '"speedup_vs_mha": null' "$sqa" db query --json --heads 16
expect 0 'naive,CHUNK=16,true,1,2026' "$sqa" db query --csv
expect 0 'trial,recorded_at' "$sqa" db query --csv
expect 0 'paper,origami,tiger-8cu,pocl,cpu' "$sqa" db list --csv
[ "$("$sqa" db best --user-db --csv | wc -l)" -eq 2 ] || failures=$((failures + 1))

# Another operation beside it, told apart by nothing but what the rows say.
cp tuning.db both.db
SQA_CL_DB=$work/both.db
expect 0 "1 added" "$sqa" db import select.jsonl
expect 0 "select(POOL=4,SLICES=4,ITEMS=64,VEC=4,ROWS=1)" "$sqa" db query --operation select_blocks
expect 0 "1 best trial;" "$sqa" db best --user-db --operation select_blocks --dim 64 --seq 4096 --mask causal+blocks --heads 8
expect 0 "no results" "$sqa" db best --user-db --operation select_blocks --dtype bf16
expect 2 "--family: 'naive' is not one of select" "$sqa" db best --operation select_blocks --family naive
for member in '"operation": "select_blocks"' '"top_k": 16' '"local_blocks": 1' '"causal": true' \
    '"blocks": "64x64/k"' '"fraction_of_roofline": 0.4' '"ceiling_copy_gbs": 50' '"POOL": 4'; do
    expect 0 "$member" "$sqa" db best --operation select_blocks --json
done
expect 0 'shape,dtype,head_dim,value_dim,mask,group_size,q_bucket,kv_bucket,rows_bucket,batch,q_heads,kv_heads,q_length,kv_length,causal,blocks,top_k,local_blocks,family' \
    "$sqa" db list --user-db --csv
expect 0 'winners 2, best 2' "$sqa" db check
"$sqa" db export --operation select_blocks | cmp select.jsonl - || failures=$((failures + 1))
expect 0 "only in B" "$sqa" db diff tuning.db both.db
expect 0 "select_blocks" "$sqa" db diff tuning.db both.db --csv
expect 0 "select_blocks f32 b=1 nq=4096 nk=4096 d=64 causal blocks=64x64/k" "$sqa" db query
SQA_CL_DB=$work/tuning.db

# What was refused above is in quarantine, once, and cannot move the cursor.
"$sqa" db import bad.jsonl 2>out && failures=$((failures + 1))
printf 'no\033[2J JSON\n' | "$sqa" db import - 2>out && failures=$((failures + 1))
expect 0 "2 lines in quarantine" "$sqa" db list --quarantine
expect 0 "bad.jsonl, line 1" "$sqa" db list --quarantine
expect 0 "CHUNK=15 is not one of" "$sqa" db list --quarantine --json
expect 0 '\u001b[2J' "$sqa" db list --quarantine --json
expect 2 "does not go with --quarantine" "$sqa" db list --quarantine --csv
expect 0 "lines in quarantine: 2" "$sqa" db check
"$sqa" db export | cmp good.jsonl - || failures=$((failures + 1))

# Comparing: the same, more on one side, faster on one side.
sed 's/"median_ms":10.0,/"median_ms":5.0,/; s/"gflops":214.748365/"gflops":429.49673/; s/CHUNK=16/CHUNK=64/' \
    good.jsonl >faster.jsonl
"$sqa" db import faster.jsonl --db faster.db >out 2>&1 || failures=$((failures + 1))
expect 0 "0 of 1 device and problem classes differ" "$sqa" db diff tuning.db second.db
expect 0 '"faster": "even"' "$sqa" db diff tuning.db second.db --all --json
expect 0 "2.00x" "$sqa" db diff tuning.db faster.db
expect 0 '"b_over_a": 0.5' "$sqa" db diff faster.db tuning.db --json
expect 0 "only in A" "$sqa" db diff tuning.db seed --device tiger
expect 0 "only in B" "$sqa" db diff seed tuning.db --csv --vendor paper
expect 1 "missing.db" "$sqa" db diff tuning.db missing.db
expect 0 "2.00x" "$sqa" db diff user faster.db
expect 0 "only in A" "$sqa" db diff user seed --device tiger

# Several databases are shown as one, each row with its source; of what is best, what the
# library would use: the user's before an extra one before the one built in.
expect 0 "tuning.db, built into the library: " "$sqa" db best
expect 0 "user-db" "$sqa" db best --device tiger
expect 0 "seed-db" "$sqa" db best
expect 0 "1 best trial;" env SQA_CL_EXTRA_DBS=faster.db "$sqa" db best --device tiger
expect 0 "CHUNK=16" env SQA_CL_EXTRA_DBS=faster.db "$sqa" db best --device tiger
expect 0 "no results" env SQA_CL_EXTRA_DBS=faster.db SQA_CL_DB=select.db "$sqa" db best \
    --device tiger --operation select_blocks
expect 0 "CHUNK=64" env SQA_CL_EXTRA_DBS=faster.db SQA_CL_DB=fresh.db "$sqa" db best --device tiger
expect 0 "extra-db-1" env SQA_CL_EXTRA_DBS=faster.db SQA_CL_DB=fresh.db "$sqa" db best --device tiger
expect 0 "2 trials;" env SQA_CL_EXTRA_DBS=faster.db "$sqa" db list --device tiger
expect 0 "extra-db-2" env SQA_CL_EXTRA_DBS=second.db:faster.db "$sqa" db query --device tiger
expect 0 '"source": "extra-db-1"' env SQA_CL_EXTRA_DBS=faster.db "$sqa" db query --json
expect 0 '"path": "faster.db"' env SQA_CL_EXTRA_DBS=faster.db "$sqa" db list --json
expect 0 ',extra-db-1' env SQA_CL_EXTRA_DBS=faster.db "$sqa" db list --csv --device tiger
expect 0 "1 trial;" env SQA_CL_EXTRA_DBS=faster.db "$sqa" db list --user-db
expect 1 "SQA_CL_EXTRA_DBS: missing.db: No such file" env SQA_CL_EXTRA_DBS=missing.db "$sqa" db list
cp faster.db faster.svg
expect 2 "SQA_CL_EXTRA_DBS" env SQA_CL_EXTRA_DBS=faster.db "$sqa" report --out faster.db
expect 2 "SQA_CL_EXTRA_DBS" env SQA_CL_EXTRA_DBS=faster.svg "$sqa" bench --plot ./faster.svg
expect 2 "SQA_CL_EXTRA_DBS" env SQA_CL_EXTRA_DBS=faster.db "$sqa" tune --shape hq=1,n=8,d=8 \
    --family naive --record faster.db
SQA_CL_EXTRA_DBS=faster.db "$sqa" db export | cmp good.jsonl - || failures=$((failures + 1))
expect 0 "extra  faster.db" env SQA_CL_EXTRA_DBS=faster.db:missing.db "$sqa" info
expect 0 "missing.db: No such file" env SQA_CL_EXTRA_DBS=faster.db:missing.db "$sqa" info
expect 0 '"role": "extra"' env SQA_CL_EXTRA_DBS=faster.db "$sqa" info --json
# Ranked together: of one problem the fastest first, wherever it is from.
[ "$(SQA_CL_EXTRA_DBS=faster.db "$sqa" db query --device tiger --csv | sed -n 's/.*,\([a-z]*-db[-0-9]*\)$/\1/p' |
    tr '\n' ' ')" = "extra-db-1 user-db " ] || { echo "FAILED: ranks"; failures=$((failures + 1)); }
# As README.md has it, where nothing was tuned yet.
expect 0 "seed-db" env SQA_CL_DB=fresh.db "$sqa" db query --dim 64
expect 0 "no results; \`sqa tune --shape variant=xsqa,h=8,n=2048,d=64\` makes some" \
    env SQA_CL_DB=fresh.db "$sqa" db query --variant xsqa --heads 8 --dim 64
expect 0 "hq=2,hkv=2,nq=2048" env SQA_CL_DB=fresh.db "$sqa" tune --dry-run \
    --shape variant=xsqa,h=8,n=2048,d=64
[ ! -e fresh.db ] || failures=$((failures + 1))

# Pruning: a dry run changes nothing, a merged database loses its loser.
"$sqa" db merge faster.db >out || failures=$((failures + 1))
expect 0 "would remove 0 outdated trials, 1 slower than the fastest, 2 quarantined" \
    "$sqa" db prune --keep 1 --quarantine --dry-run
expect 0 '"trials": 2' "$sqa" db check --json
expect 0 '"losers": 1' "$sqa" db prune --keep 1 --json
expect 0 '"trials": 1' "$sqa" db check --json
expect 0 "removed 0 outdated trials, 0 slower than the fastest, 2 quarantined lines" \
    "$sqa" db prune --quarantine
expect 0 "0 lines in quarantine" "$sqa" db list --quarantine
expect 2 "--keep is 'all'" "$sqa" db prune --keep all
expect 1 "no tuning database" "$sqa" db prune --db missing.db
expect 0 "CHUNK=64" "$sqa" db best

# Contributing: winners of finals only, and nothing that names this machine.
expect 0 "1 trial written" "$sqa" db export --submit --device tiger --out submit.jsonl
cmp faster.jsonl submit.jsonl || failures=$((failures + 1))
expect 1 "no winner of a final" "$sqa" db export --submit --device elephant --out none.jsonl
[ ! -e none.jsonl ] || failures=$((failures + 1))
expect 1 "its device_name names this machine" env USER=Tiger "$sqa" db export --submit \
    --device tiger --out none.jsonl
sed 's/"final":true/"final":false/' good.jsonl >unsure.jsonl
"$sqa" db import unsure.jsonl --db unsure.db >out || failures=$((failures + 1))
expect 1 "won without a final" "$sqa" db export --submit --device tiger --db unsure.db --out none.jsonl
# What that device runs by default has won nothing, unless something else was tried.
{
    echo "# A device"
    sed 's/.*"device":{\(.*\)},"problem".*/\1/; s/},"environment":{/,/; s/,"/\n"/g' good.jsonl |
        sed '/library_version/d; s/"//g; s/:/=/; s/=true$/=1/; s/=false$/=0/'
} >tiger.profile
default=$("$sqa" source --device-profile tiger.profile --db fresh.db \
    --shape b=1,hq=8,hkv=8,nq=1024,nk=1024,d=64 | sed -n 's/^ \* config  *//p')
sed "s/\"naive\"/\"rows\"/; s/CHUNK=16/$default/" good.jsonl >default.jsonl
"$sqa" db import default.jsonl --db default.db >out || failures=$((failures + 1))
expect 1 "it is the default, and nothing else was tried there" "$sqa" db export --submit \
    --device tiger --db default.db --out none.jsonl
[ ! -e none.jsonl ] || failures=$((failures + 1))
sed 's/"median_ms":10.0/"median_ms":11.0/; s/"gflops":[^,]*/"gflops":195.225786/
    s/"final":true/"final":false/; s/"winner":true/"winner":false/' good.jsonl >slower.jsonl
"$sqa" db import slower.jsonl --db default.db >out || failures=$((failures + 1))
expect 0 "1 trial written" "$sqa" db export --submit --device tiger --db default.db --out opposed.jsonl
cmp default.jsonl opposed.jsonl || failures=$((failures + 1))

# A file name is a file name, whatever SQLite makes of such words.
for name in file:named.db :memory: 'file:other.db?mode=memory'; do
    expect 0 "1 added" "$sqa" db import good.jsonl --db "$name"
    [ -f "$name" ] || { echo "FAILED: no file $name"; failures=$((failures + 1)); }
    expect 0 "tiger-8cu" "$sqa" db best --db "$name"
    expect 0 "tiger-8cu" env SQA_CL_DB="$name" "$sqa" db best
    expect 0 "in use, 1 best" env SQA_CL_DB="$name" "$sqa" info
done
[ ! -e named.db ] && [ ! -e other.db ] || failures=$((failures + 1))
expect 0 "$work/.local/share/sqa_cl/tuning.db" env -u SQA_CL_DB HOME="$work" XDG_DATA_HOME=data \
    "$sqa" db path

# Files in a bad state.
dd if=/dev/urandom of=noise.db bs=4096 count=4 2>dd.log
expect 1 "not a tuning database" "$sqa" db check --db noise.db
expect 1 "not a tuning database" "$sqa" db import good.jsonl --db noise.db
mkdir folder.db
expect 1 "not a file" "$sqa" db list --db folder.db

[ "$failures" -eq 0 ] || echo "$failures failures"
[ "$failures" -eq 0 ]
