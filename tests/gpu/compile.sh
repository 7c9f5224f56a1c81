#!/bin/sh
# What GPUs would be given, through their own compilers, without a GPU: the defaults of every
# family for the profiles that ship. Each must compile, spill nothing and leave a compute unit
# enough wavefronts; registers, spills, private and local memory are held against compiled.txt,
# which people review, so that growth is seen. The naive families only have to compile: they are
# what is left where nothing else works.
#   compile.sh SQA_PROGRAM [--update] [PROFILE...]
# --update writes compiled.txt anew, with all cases. $SQA_TEST_SIZE full: all of it, otherwise a
# selection.
# compilers.sh says where compilers are looked for; what is not here is skipped, and named.
set -u
sqa=$1
shift
update=
[ "${1:-}" != --update ] || { update=$1; shift; }
only=" $* "
here=$(cd "$(dirname "$0")" && pwd)
table=$here/compiled.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=tests/gpu/compilers.sh
. "$here/compilers.sh"
export SQA_CL_DB=/dev/null
size=${SQA_TEST_SIZE:-quick}
[ -z "$update" ] || size=full

# profile vendor compiler's target, then of a compute unit: SIMD units, wavefront width, registers
# of a lane in one of them, in steps of, at most so many wavefronts of it, local memory in bytes,
# of it lost per work-group, wavefronts that keep a SIMD unit busy. Sources: CUDA C++ programming
# guide (compute capabilities), AMD's CDNA and RDNA ISA guides; Intel's compiler tells all we need.
targets='
sm_80   nvidia sm_80   4 32 512  8  16 167936 1024 2
sm_90   nvidia sm_90   4 32 512  8  16 233472 1024 2
gfx90a  amd    gfx90a  4 64 512  8  8  65536  0    1
gfx942  amd    gfx942  4 64 512  8  8  65536  0    1
gfx1030 amd    gfx1030 4 32 1024 16 16 131072 0    1
gfx1100 amd    gfx1100 4 32 1536 24 16 131072 0    1
dg2     intel  dg2
pvc     intel  pvc
tgl     intel  tgllp'

# operation family shape; the rest are profiles of the selection, and those of all.
# A naive family is the same everywhere: one profile of a vendor will do; mma: those with a
# matrix unit, of them those for wide heads, or with one for tf32.
cases='
forward         tiled  hq=8,n=4096,causal,d=64,dtype=f32                  sm_80,gfx90a,dg2 all
forward         tiled  hq=8,n=4096,causal,d=128,dtype=f32                 sm_90,gfx1100    all
forward         tiled  hq=8,n=4096,causal,d=64,dtype=f16                  gfx942           all
forward         tiled  hq=8,n=4096,causal,d=128,dtype=f16                 -                all
forward         tiled  hq=8,hkv=2,nq=1,nk=4096,d=128,dtype=f16            gfx1030          all
forward         mma    hq=8,n=4096,causal,d=64,dtype=f16                  sm_80,gfx942,dg2,pvc matrix
forward         mma    hq=8,n=4096,causal,d=128,dtype=f16                 gfx1100          wide
forward         mma    hq=8,n=4096,causal,d=128,dtype=bf16                sm_90,gfx90a     wide
forward         mma    hq=8,n=4096,causal,d=64,products=tf32              sm_80            nvidia
forward         mma    hq=8,n=4096,causal,d=128,products=tf32             sm_90            nvidia
forward         stream hq=32,hkv=4,nq=1,nk=4096,d=128,dtype=f16           sm_80            all
forward         stream hq=32,hkv=4,nq=1,nk=4096,d=64,dtype=f32            -                all
forward         naive  hq=8,n=4096,causal,d=64,dtype=f32                  -                one
forward         naive  hq=32,hkv=4,nq=1,nk=4096,d=128,kv=int8,page=16     -                one
backward_core   tiled  hq=8,n=4096,causal,d=64,dtype=f32                  sm_80            all
backward_core   tiled  hq=8,n=4096,causal,d=128,dtype=f32                 gfx90a           all
backward_core   tiled  hq=8,n=4096,causal,d=64,dtype=f16                  -                all
backward_core   tiled  hq=8,n=4096,causal,d=128,dtype=f16                 -                all
backward_core   naive  hq=8,n=4096,causal,d=64,dtype=f32                  -                one
backward_delta  naive  heads=8,rows=4096,d=64,dtype=f16                   sm_90            one
backward_scores naive  hq=8,n=1024,bias=f32/hq,grads=bias,d=64            -                one
select_blocks   select hq=8,n=4096,blocks=64x64/h,topk=4,d=64,dtype=f32   gfx1100          one
linear          tiled  hq=8,n=4096,causal,decay=token,d=64,dtype=f32      sm_80,gfx90a,dg2 all
linear          tiled  b=16,hq=8,n=4096,causal,delta,decay=channel,dtype=f16 sm_90,gfx1100  all
linear          naive  hq=8,n=4096,causal,d=64,dtype=f32                  -                one
linear_backward tiled  hq=8,n=4096,causal,decay=token,d=64,dtype=f32      sm_80           all
linear_backward tiled  b=16,hq=8,n=4096,causal,delta,decay=channel,dtype=f16 gfx90a         all
linear_backward tiled  b=2,hq=8,n=4096,causal,delta,decay=token,d=128,dtype=bf16 -          all
linear_backward tiled  b=2,hq=8,n=4096,feature=elu1,normalise,d=128,dtype=f32  dg2        all
linear_backward naive  hq=8,n=4096,causal,d=64,dtype=f32                  -                one
matmul          tiled  m=1024,n=1024,k=1024,dtype=f32                     gfx90a           all
matmul          tiled  m=4096,n=2816,k=1024,tb,gated,act=silu,dtype=f16   sm_80            all
matmul          naive  m=1024,n=1024,k=1024,dtype=f32                     sm_90            one
activation      elements n=4096,d=4096,act=silu,gated,residual,dtype=f16  -                one
activation_backward elements n=4096,d=4096,act=silu,gated,dtype=f32       -                one
norm            naive  n=4096,d=1024,kind=layer,weight,bias,dtype=f16     -                one
norm_backward   naive  n=4096,d=1024,weight,dtype=f32                     -                one
rope            naive  heads=8,n=4096,d=128,dtype=f16                     -                one
merge           merge  heads=8,n=4096,d=128,dtype=f16                     -                one
kv_append       naive  hkv=8,n=1,nk=64,d=128,page=16,kv=int8              -                one'

# say NAME WRONG: what became of it.
say() {
    echo "${2:+FAILED }$1${2:+: $2}" >>"$work/said"
}

# wavefronts UNIT... THREADS REGISTERS LOCAL: of that many on a compute unit.
wavefronts() {
    awk -v simds="$1" -v width="$2" -v most_registers="$3" -v step="$4" -v most="$5" \
        -v memory="$6" -v lost="$7" -v threads="$9" -v registers="${10}" \
        -v local_bytes="${11}" 'BEGIN {
        own = int((registers + step - 1) / step) * step
        waves = int(most_registers / (own ? own : step))
        waves = simds * (waves < most ? waves : most)
        of_group = int((threads + width - 1) / width)
        groups = int(waves / of_group)
        if (local_bytes) {
            fit = int(memory / (local_bytes + lost))
            groups = fit < groups ? fit : groups
        }
        print groups * of_group }'
}

# judge NAME KERNEL REGISTERS SPILL PRIVATE LOCAL UNIT...: a line of the table, and what is wrong.
judge() {
    name=$1 kernel=$2 registers=$3 spill=$4 private=$5 local_bytes=$6
    shift 6
    wrong=
    waves=-
    threads=$(sed -n "s/^ \* step [0-9]* *$kernel,.*local \([0-9 x]*[0-9]\).*/\1/p" \
        "$work/source.cl" | sed 's/x/*/g')
    case $spill in
    0) ;;
    again) wrong="does not fit the registers: compiled again, with arrays in memory" ;;
    *) wrong="spills $spill" ;;
    esac
    if [ $# -gt 0 ]; then
        waves=$(wavefronts "$@" "$((${threads:-$2}))" "$registers" "$local_bytes")
        [ "$waves" -ge $(($1 * $8)) ] || wrong="${wrong:+$wrong; }$waves wavefronts a compute unit"
    fi
    echo "$number $name $kernel $registers $spill $private $local_bytes $waves" >>"$work/new"
    case $name in *" naive "*) wrong= ;; esac
    known=$(grep -F "$name $kernel " "$table" | cut -d ' ' -f 6-9)
    if [ -z "$update" ] && [ -n "$same" ]; then
        compare "$known" "$registers $spill $private $local_bytes"
    fi
    say "$name $kernel" "$wrong"
}

# Of the compilers that the table is of, every figure is known.
compare() {
    if [ -z "$1" ]; then
        wrong="${wrong:+$wrong; }is not in compiled.txt (compile.sh SQA --update)"
        return
    fi
    [ "$1" != "$2" ] || return
    grown=$(echo "$1 $2" | awk '{
        for (i = 1; i <= 4; i++) if ($(i + 4) + 0 > $i + 0) print "grown" }')
    if [ -n "$grown" ]; then
        wrong="${wrong:+$wrong; }registers, spill, private, local memory were $1 and are $2"
    else
        echo "smaller: $name $kernel: $1, now $2 (compile.sh SQA --update)" >>"$work/smaller"
    fi
}

# compile_one PROFILE VENDOR TARGET OPERATION FAMILY SHAPE UNIT...
compile_one() {
    profile=$1 vendor=$2 target=$3 operation=$4 family=$5 shape=$6
    shift 6
    if ! "$sqa" source --operation "$operation" --family "$family" --shape "$shape" \
        --device-profile "$profile" >"$work/source.cl" 2>"$work/errors"; then
        say "$profile $operation $family $shape" "$(cat "$work/errors")"
        return
    fi
    options=$(sed -n 's/^ \* options *\(.*\)/\1/p' "$work/source.cl" | head -n 1)
    if ! "compile_$vendor" "$target" "$work/source.cl" "$options" >"$work/kernels" 2>"$work/errors"
    then
        say "$profile $operation $family $shape" "$(head -n 3 "$work/errors")"
        return
    fi
    [ -s "$work/kernels" ] || say "$profile $operation $family $shape" "no kernel was compiled"
    while read -r kernel figures; do
        # figures and the unit are lists of words.
        # shellcheck disable=SC2086
        judge "$profile $operation $family $shape" "$kernel" $figures "$@"
    done <"$work/kernels"
}

# Whether a case is to be compiled for a profile: chosen PROFILE SELECTION OF_ALL.
chosen() {
    [ "$only" = "  " ] || case $only in *" $1 "*) ;; *) return 1 ;; esac
    [ "$size" = full ] || { case ",$2," in *",$1,"*) return 0 ;; *) return 1 ;; esac; }
    case $3:$1 in
    all:* | one:sm_90 | one:gfx1100 | one:dg2) return 0 ;;
    matrix:sm_* | matrix:gfx9* | matrix:gfx11* | matrix:dg2 | matrix:pvc) return 0 ;;
    wide:sm_* | wide:gfx9* | wide:gfx11* | nvidia:sm_*) return 0 ;;
    *) return 1 ;;
    esac
}

# The figures of the table are those of the compilers that it names.
versions() {
    for vendor in nvidia amd intel; do
        if [ -n "$("missing_$vendor")" ]; then
            grep "^# $vendor: " "$table" 2>/dev/null
        else
            echo "# $vendor: $("version_$vendor")"
        fi
    done
}

for vendor in nvidia amd intel; do
    missing=$("missing_$vendor" | paste -sd, | sed 's/,/, /g')
    [ -z "$missing" ] || echo "skipped: $vendor, for lack of $missing"
done
versions >"$work/versions"

echo "$targets" | while read -r profile vendor target unit; do
    if [ -z "$profile" ] || [ -n "$("missing_$vendor")" ]; then
        continue
    fi
    echo "$cases" | while read -r operation family shape selection of_all; do
        [ -z "$operation" ] || ! chosen "$profile" "$selection" "$of_all" ||
            echo "$profile $vendor $target $operation $family $shape $unit"
    done
done >"$work/jobs"
if [ ! -s "$work/jobs" ]; then
    echo "no compiler for a GPU is here"
    exit 77
fi

# part OWN PARTS: of so many parts of the jobs one, in a folder of its own.
part() {
    awk -v own="$1" -v parts="$2" 'NR % parts == own { print NR, $0 }' "$work/jobs" >"$work/jobs.$1"
    jobs=$work/jobs.$1 work=$work/$1
    mkdir "$work"
    while read -r number profile vendor target operation family shape unit; do
        same=$(grep "^# $vendor: " "$work/../versions" | grep -Fxf - "$table" 2>/dev/null)
        # unit is a list of words.
        # shellcheck disable=SC2086
        compile_one "$profile" "$vendor" "$target" "$operation" "$family" "$shape" $unit
    done <"$jobs"
}

parts=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
own=0
while [ "$own" -lt "$parts" ]; do
    part "$own" "$parts" &
    own=$((own + 1))
done
wait
cat "$work"/*/said >"$work/said" 2>/dev/null
cat "$work"/*/smaller 2>/dev/null
cat "$work"/*/new 2>/dev/null | sort -s -n -k 1,1 | cut -d ' ' -f 2- >"$work/new"
failed=$(grep -c '^FAILED ' "$work/said")
passed=$(($(wc -l <"$work/said") - failed))
grep '^FAILED ' "$work/said"

if [ -n "$update" ]; then
    {
        echo "# What compilers made of the defaults for GPUs; written by compile.sh SQA --update,"
        echo "# and reviewed. Profile, operation, family, shape, kernel; then registers of a"
        echo "# work-item (Intel: of a thread, over its SIMD width), spills, bytes of private and"
        echo "# of local memory, wavefronts that a compute unit has room for."
        cat "$work/versions"
        # What was not compiled keeps its lines.
        for profile in $(echo "$targets" | cut -d ' ' -f 1); do
            grep "^$profile " "$work/new" || grep "^$profile " "$table"
        done
    } >"$work/table"
    cp "$work/table" "$table"
fi
if [ "$size" != full ]; then
    echo "a selection; SQA_TEST_SIZE=full compiles everything"
fi
for vendor in nvidia amd intel; do
    grep -Fq "$(grep "^# $vendor: " "$work/versions")" "$table" 2>/dev/null ||
        echo "$vendor: another compiler than that of compiled.txt; only spills and wavefronts count"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
