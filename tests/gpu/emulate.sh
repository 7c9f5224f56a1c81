#!/bin/sh
# shellcheck disable=SC2154 # nvdisasm is that of compilers.sh
# Runs what ptxas makes of the defaults for NVIDIA's GPUs, a work-group of each kernel in an
# emulator (emulator/): results against double precision, races, stray and misaligned accesses,
# barriers that not all work-items reach. The emulator's own tests, faults that it must find, come
# first.
#   emulate.sh SQA_PROGRAM [WORD...]
# $SQA_TEST_SIZE full: all defaults, otherwise a selection; of these the cases that have one of the
# words, such as mma or linear_backward. The code is that of sm_80 throughout;
# of other GPUs it has the configurations, and what is written for their instructions.
# compilers.sh says where programs are looked for; without one of them nothing is run: status 77.
set -u
sqa=$1
shift
only=" $* "
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=tests/gpu/compilers.sh
. "$here/compilers.sh"
export SQA_CL_DB=/dev/null PYTHONDONTWRITEBYTECODE=1 OPENBLAS_NUM_THREADS=1
size=${SQA_TEST_SIZE:-quick}

missing=$({ missing_nvidia; missing_emulator; } | paste -sd, | sed 's/,/, /g')
if [ -n "$missing" ]; then
    echo "skipped for lack of $missing"
    exit 77
fi

# profile operation family shape, and when.
cases='
sm_80 forward       tiled hq=8,n=4096,causal,d=64,dtype=f32  quick
sm_80 forward       tiled hq=8,n=4096,causal,d=128,dtype=f32 full
sm_80 forward       tiled hq=8,n=4096,causal,d=64,dtype=f16  full
sm_80 forward       tiled hq=8,n=4096,causal,d=128,dtype=f16 full
sm_80 forward       tiled hq=8,n=4096,causal,d=64,dtype=bf16 full
sm_80 forward       mma   hq=8,n=4096,causal,d=64,dtype=f16  quick
sm_80 forward       mma   hq=8,n=4096,causal,d=128,dtype=f16 full
sm_80 forward       mma   hq=8,n=4096,causal,d=64,dtype=bf16 full
sm_80 forward       mma   hq=8,n=4096,causal,d=128,dtype=bf16 full
sm_80 forward       mma   hq=8,n=4096,causal,d=64,products=tf32 quick
sm_80 forward       mma   hq=8,n=4096,causal,d=128,products=tf32 full
sm_90 forward       tiled hq=8,n=4096,causal,d=64,dtype=f32  full
sm_90 forward       tiled hq=8,n=4096,causal,d=128,dtype=f32 full
sm_90 forward       tiled hq=8,n=4096,causal,d=64,dtype=f16  full
sm_90 forward       tiled hq=8,n=4096,causal,d=128,dtype=f16 full
gfx90a forward      tiled hq=8,n=4096,causal,d=64,dtype=f32  full
sm_80 backward_core tiled hq=8,n=4096,causal,d=64,dtype=f32  full
sm_80 backward_core tiled hq=8,n=4096,causal,d=128,dtype=f32 full
sm_80 backward_core tiled hq=8,n=4096,causal,d=64,dtype=f16  full
sm_80 backward_core tiled hq=8,n=4096,causal,d=128,dtype=f16 quick
sm_90 backward_core tiled hq=8,n=4096,causal,d=64,dtype=f32  full
sm_90 backward_core tiled hq=8,n=4096,causal,d=128,dtype=f32 full
sm_90 backward_core tiled hq=8,n=4096,causal,d=64,dtype=f16  full
sm_90 backward_core tiled hq=8,n=4096,causal,d=128,dtype=f16 full
sm_80 forward       stream hq=32,hkv=4,nq=1,nk=4096,d=128,dtype=f16 full
sm_80 forward       stream hq=32,hkv=4,nq=4,nk=4096,causal,d=128,dtype=f16 full
sm_90 forward       stream hq=32,hkv=4,nq=8,nk=4096,causal,d=64,dtype=f32  full
sm_80 matmul        tiled m=1024,n=1024,k=1024,dtype=f32     quick
sm_90 matmul        tiled m=1024,n=1024,k=1024,ta,dtype=bf16 full
sm_80 matmul        tiled m=4096,n=2816,k=1024,tb,gated,act=silu,dtype=f16 full
sm_80 matmul        tiled m=1024,n=1024,k=1024,bias,residual,beta=1,act=silu,dtype=f32 full
sm_80 matmul        tiled m=1024,n=1024,k=1024,tb,bias,gated,act=silu,residual,dtype=f16 full
sm_80 linear        tiled hq=8,n=4096,causal,decay=token,d=64,dtype=f32    full
sm_90 linear        tiled hq=8,n=4096,causal,decay=token,d=64,dtype=f32    full
sm_80 linear        tiled b=16,hq=8,n=4096,causal,delta,decay=channel,dtype=f16 full
sm_80 linear_backward tiled b=16,hq=8,n=4096,causal,decay=token,state=in_out,dtype=f32 full
sm_80 linear_backward tiled b=16,hq=8,n=4096,causal,delta,decay=channel,state=in_out,dtype=f16 full
sm_80 norm          naive n=4096,d=1024,kind=layer,weight,bias,dtype=f16    full
sm_80 norm_backward naive n=4096,d=1024,kind=layer,dtype=f32                full
sm_80 norm_backward naive n=4096,d=1024,weight,dtype=f16                    full
sm_80 rope          naive heads=8,n=4096,d=128,pairs=half,dtype=f16         full
sm_80 rope          naive heads=8,n=4096,d=64,dtype=f32                     full
sm_80 merge         merge heads=8,n=4096,d=64,dtype=bf16                    full
sm_80 activation    elements n=4096,d=4096,act=silu,gated,residual,dtype=f16 full
sm_80 activation_backward elements n=4096,d=4096,act=silu,gated,dtype=f32   full
sm_80 backward_delta naive heads=8,rows=4096,d=64,dtype=f16                 full
sm_80 select_blocks select hq=8,n=4096,blocks=64x64/h,topk=4,d=64,dtype=f32 full
sm_80 kv_append     naive hkv=8,n=1,nk=64,d=128,page=16,dtype=f16           full
sm_80 forward       naive hq=8,n=4096,causal,d=16,dtype=f16                 full
sm_80 backward_core naive hq=8,n=4096,causal,d=16,dtype=f32                 full
sm_80 matmul        naive m=1024,n=1024,k=1024,tb,bias,act=silu,dtype=f16   full
sm_90 matmul        tiled m=1024,n=1024,k=1024,dtype=f32                    full
sm_90 linear_backward tiled b=16,hq=8,n=4096,causal,delta,decay=channel,state=in_out,dtype=f16 full'

# Edits of the first program of an operation and family, and what must then be found.
planted='
forward tiled|0,/barrier(CLK_LOCAL_MEM_FENCE);/s///|race
forward tiled|s/row > last_row)/row > last_row + 1)/|store to what is not the work-group
forward tiled|s/first_key + BN > min(reach.all_last, walk.end)/false/|error
forward mma|0,/barrier(CLK_LOCAL_MEM_FENCE);/s///|race
forward mma|0,/WAIT_FOR_COPIES;/s///|still being copied
forward stream|0,/barrier(CLK_LOCAL_MEM_FENCE);/s///|race
matmul tiled|s/buffer = BUFFERS - 1 - buffer;//|race
matmul tiled|s/if (row >= m/if (row >= m + 1/|store to
linear tiled|0,/barrier(CLK_LOCAL_MEM_FENCE);/s///|race
linear_backward tiled|0,/barrier(CLK_LOCAL_MEM_FENCE);/s///|race
select_blocks select|0,/barrier(CLK_LOCAL_MEM_FENCE);/s///|race
norm naive|s/row >= rows/row > rows/|store to what is not the work-group'

thorough=
[ "$size" != full ] || thorough=--thorough
failed=0
passed=0

tell() {
    echo "FAILED $1"
    failed=$((failed + 1))
}

# emulate SOURCE NAME: prints what is wrong; status 1: something is.
emulate() {
    options=$(sed -n 's/^ \* options *\(.*\)/\1/p' "$1" | head -n 1)
    compile_nvidia sm_80 "$1" "$options" >"$work/kernels" 2>"$work/errors" ||
        { echo "FAILED $2: $(head -n 3 "$work/errors")"; return 1; }
    # thorough is a word or none.
    # shellcheck disable=SC2086
    python3 "$here/emulator/emulate.py" "$nvdisasm" "$1" "$work/code.cubin" "$2" $thorough
}

# plant EDIT EXPECTED, of source.cl
plant() {
    sed "$1" "$work/source.cl" >"$work/planted.cl"
    if cmp -s "$work/source.cl" "$work/planted.cl"; then
        tell "'$1' changes nothing"
    elif emulate "$work/planted.cl" planted >"$work/found"; then
        tell "'$1': nothing was found"
    elif ! grep -q "^FAILED planted .*$2" "$work/found"; then
        tell "'$1': found $(cat "$work/found"); expected '$2'"
    fi
}

compile_nvidia sm_80 "$here/emulator/planted.cl" "-cl-std=CL1.2 -w" >"$work/kernels" || exit 1
python3 "$here/emulator/test_emulator.py" "$nvdisasm" "$work/code.cubin" || exit 1

# Whether the words given, if any, have one of the case's: wanted WORD...
wanted() {
    [ "$only" != "  " ] || return 0
    for word in "$@"; do
        case $only in *" $word "*) return 0 ;; esac
    done
    return 1
}

echo "$cases" >"$work/cases"
while read -r profile operation family shape when; do
    if [ -z "$profile" ] || { [ "$when" = full ] && [ "$size" != full ]; }; then
        continue
    fi
    wanted "$profile" "$operation" "$family" || continue
    name="$profile $operation $family $shape"
    if ! "$sqa" source --operation "$operation" --family "$family" --shape "$shape" \
        --device-profile "$profile" >"$work/source.cl" 2>"$work/errors"; then
        tell "$name: $(cat "$work/errors")"
    elif emulate "$work/source.cl" "$name"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
    if [ "$size" = full ]; then
        echo "$planted" | grep "^$operation $family|" >"$work/edits"
        planted=$(echo "$planted" | grep -v "^$operation $family|")
        while IFS='|' read -r _ edit expected; do
            plant "$edit" "$expected"
        done <"$work/edits"
    fi
done <"$work/cases"

echo "$passed programs emulated, $failed failed"
[ "$failed" -eq 0 ]
