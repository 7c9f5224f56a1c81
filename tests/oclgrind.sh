#!/bin/sh
# Every kernel family under Oclgrind, which finds data races, accesses out of
# bounds and uninitialised values. It exits 0 whatever it finds, so its log must
# be empty, and the checks must really have been made.
#   oclgrind.sh SQA_PROGRAM SELECTION_TEST
# With $SQA_TEST_SIZE full, also with random configurations.
set -eu
unset SQA_TEST_DEVICE # Oclgrind is the one device there is
sqa=$1
selection=$2
configs=0
tiny='--tiny --dtype f32 --configs 0'
if [ "${SQA_TEST_SIZE:-quick}" = full ]; then
    configs=1
    tiny='--tiny --dtype f32 --configs 1'
fi
if ! command -v oclgrind >/dev/null 2>&1; then
    echo "oclgrind is not installed"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A field of the report's last lines, outside every family.
field() {
    sed -n "s/^  \"$1\": \([0-9]*\).*/\1/p" "$work/report"
}

# simulate AT_LEAST OCLGRIND_OPTION... -- VERIFY_OPTION...
simulate() {
    least=$1
    shift
    options=
    while [ "$1" != -- ]; do
        options="$options $1"
        shift
    done
    shift
    rm -f "$work/log"
    # options is a list of words.
    # shellcheck disable=SC2086
    if ! oclgrind $options --log "$work/log" "$sqa" verify "$@" --json \
        >"$work/report" 2>"$work/errors"; then
        cat "$work/report" "$work/errors"
        head -n 60 "$work/log" 2>/dev/null || true
        echo "checks failed under Oclgrind: sqa verify $*" >&2
        exit 1
    fi
    if [ -s "$work/log" ]; then
        head -n 60 "$work/log"
        echo "Oclgrind has something to say: sqa verify $*" >&2
        exit 1
    fi
    checked=$(field checked)
    families=$(grep -c '"family"' "$work/report")
    idle=$(grep -c '"passed": 0,' "$work/report" || true)
    if ! grep -q -i '"device": ".*oclgrind' "$work/report" || [ "$(field failed)" != 0 ] ||
        [ "${checked:-0}" -lt "$least" ] || [ "$idle" -ne 0 ]; then
        cat "$work/report"
        echo "not every family was checked under Oclgrind: sqa verify $*" >&2
        exit 1
    fi
    echo "$checked checks of $families configurations under Oclgrind, nothing found:$options"
}

# expected_of OPTION...: what the last option may be.
expected_of() {
    "$sqa" verify "$@" '?' 2>&1 | sed -n 's/.*expected one of //p' | tr -d ,
}

# select_blocks TEST_CASE OCLGRIND_OPTION: block selection, which has a test program of its own.
select_blocks() {
    rm -f "$work/log"
    if ! CK_RUN_CASE=$1 SQA_TEST_SIZE=tiny oclgrind "$2" --log "$work/log" "$selection" \
        >"$work/report" 2>&1 || [ -s "$work/log" ] || ! grep -q '^100%: Checks: [1-9]' "$work/report"; then
        cat "$work/report"
        head -n 60 "$work/log" 2>/dev/null || true
        echo "Oclgrind has something to say, or checks failed: block selection, $1" >&2
        exit 1
    fi
    echo "block selection under Oclgrind, nothing found: $2"
}

# Races and bounds, on what the compiler makes of the kernels. Without `restrict`:
# Oclgrind 21.10 does not know the notes on aliasing that come of it.
OCLGRIND_BUILD_OPTIONS=-Drestrict=
export OCLGRIND_BUILD_OPTIONS
# The defaults of `tiled` have 128 threads a work-group, which Oclgrind takes minutes over: a small
# tile has the same barriers.
# small_tile OPERATION FAMILY
small_tile() {
    case $1.$2 in
    forward.tiled) echo --set BM=8,BN=8,TX=8,TY=4,P_SLICE=0 ;;
    backward_core.tiled) echo --set BM=8,BN=8,TX=4,TY=2 ;;
    esac
}

# CLBlast's kernels are not ours, and mma has instructions of its own.
for operation in $(expected_of --operation); do
    for family in $(expected_of --operation "$operation" --family); do
        least=1
        [ "$operation" != forward ] || least=20
        case $operation.$family in
        *.clblast | *.mma | linear.tiled | linear_backward.tiled | forward.stream) continue ;;
        esac
        # What small_tile says and tiny are lists of words.
        # shellcheck disable=SC2046,SC2086
        simulate $least --data-races -- --operation "$operation" --family "$family" \
            $(small_tile "$operation" "$family") $tiny
    done
done
# Many keys, and chunks of tokens, take minutes of the shapes above, whatever the tile.
for shape in hq=4,hkv=2,nq=3,nk=150,d=13,dv=5,causal,lse hq=4,hkv=2,nq=1,nk=140,d=8,page=5,pages=40,softcap=3 \
    hq=1,hkv=2,nq=2,nk=9,d=5,sinks; do
    simulate 1 --data-races -- --family stream --set ROWS=2,TX=4,TY=8,KEYS=1,SPLIT_KEYS=128 \
        --shape "$shape"
done
for shape in hq=2,hkv=1,n=11,d=3,dv=5,causal,delta,decay=channel,state=in_out \
    hq=1,n=9,d=5,dv=3,causal,feature=elu1,normalise,decay=head,state=in_place \
    hq=1,nq=5,nk=9,d=5,dv=3; do
    simulate 1 --data-races -- --family tiled --set CHUNK=4,COLUMNS=4,TX=2,TY=2,VEC=2,PAD=1 \
        --shape "op=linear,$shape"
done
for shape in hq=2,hkv=1,n=6,d=3,dv=5,causal,delta,decay=channel,state=in_out \
    hq=1,hkv=2,n=6,d=5,dv=3,causal,feature=elu1,normalise,decay=head; do
    simulate 1 --data-races -- --family tiled --set CHUNK=4,COLUMNS=4,TX=2,TY=2,VEC=2,PAD=1 \
        --shape "op=linear_backward,$shape"
done
# Weights in slices, which no default for a CPU has.
sliced=BM=16,BN=64,TX=8,TY=4,VEC=4,DK=8,STAGE=1,Q_PLACE=1,P_SLICE=1,PAD=1,SUBGROUP=0,SHARE=0,SPLIT=1
for shape in b=1,hq=2,hkv=1,nq=20,nk=130,d=32,causal,lse b=1,hq=1,nq=18,nk=70,d=30,alibi=geometric; do
    simulate 1 --data-races -- --family tiled --set "$sliced" --shape "$shape"
done
[ "$configs" = 0 ] || simulate 20 --data-races -- --operation forward --family tiled $tiny
for dtype in f16 bf16; do
    for family in $(expected_of --operation forward --family); do
        [ "$family" = mma ] || simulate 1 --data-races -- --family "$family" \
            --shape "b=1,hq=2,hkv=1,nq=15,nk=33,d=7,causal,lse,dtype=$dtype"
    done
done

select_blocks lists --data-races

# Uninitialised values, on one small shape and unoptimised kernels: Oclgrind 21.10
# does not follow the `freeze` that the optimiser puts in, nor know the notes on
# aliasing that come of inlining a function which returns a struct. Without inlining it crashes
# over `decode`, which only the run for races looks at.
OCLGRIND_BUILD_OPTIONS='-Drestrict= -DINLINE=static -cl-opt-disable'
for shape in b=1,hq=2,hkv=1,nq=9,nk=11,d=5,dv=3,causal,lse b=1,hq=1,hkv=2,nq=4,nk=19,d=8; do
    for family in naive rows tiled; do
        simulate 1 --uninitialized -- --family "$family" --shape "$shape" --layout padded
    done
done
# In a second run of a process, it takes buffers for those of the first.
select_blocks one --uninitialized
