# shellcheck shell=sh
# shellcheck disable=SC2154 # work and here are those of compile.sh
# The compilers of GPUs, as far as they are here; read by compile.sh and emulate.sh.
#
# compile_VENDOR TARGET SOURCE OPTIONS: compiles, and prints a line per kernel,
#   kernel registers spill private local
# the first of a work-item, in 32 bits (Intel: registers of a thread, over its SIMD width), spills
# and private memory in bytes (AMD: registers spilled), local memory of a work-group in bytes.
# missing_VENDOR says what is not here, and nothing where all is; version_VENDOR what compiles.
#
# Found by name, or by these:
#   SQA_CLANG      clang for NVIDIA and AMD, with libclc of the same version
#   SQA_LIBCLC     folder of libclc's nvptx64--nvidiacl.bc and amdgcn--amdhsa.bc
#   SQA_LIBDEVICE  libdevice.10.bc of CUDA
#   SQA_PTXAS, SQA_NVDISASM, SQA_OCLOC
#   SQA_COMPILER_LIBRARIES  folders that these look for their libraries in, where they are no
#                  place for the other programs

first_program() {
    for program in "$@"; do
        command -v "$program" 2>/dev/null && return
    done
}

first_file() {
    for file in "$@"; do
        [ ! -f "$file" ] || { echo "$file"; return; }
    done
}

clang=${SQA_CLANG:-$(first_program clang-22 clang-21 clang-20 clang-19)}
ptxas=${SQA_PTXAS:-$(first_program ptxas /usr/local/cuda/bin/ptxas)}
ocloc=${SQA_OCLOC:-$(first_program ocloc)}
libclc=${SQA_LIBCLC:-/usr/lib/clc}
libdevice=${SQA_LIBDEVICE:-$(first_file \
    "${CUDA_HOME:-/usr/local/cuda}/nvvm/libdevice/libdevice.10.bc" \
    /usr/lib/nvidia-cuda-toolkit/libdevice/libdevice.10.bc)}

# As PyPI's nvidia-cuda-nvdisasm brings it, too.
of_python=$(python3 -c 'import sysconfig; print(sysconfig.get_path("purelib"))' 2>/dev/null)
nvdisasm=${SQA_NVDISASM:-$(first_program nvdisasm /usr/local/cuda/bin/nvdisasm \
    "$of_python"/nvidia/*/bin/nvdisasm)}

with_libraries() {
    LD_LIBRARY_PATH=${SQA_COMPILER_LIBRARIES:+$SQA_COMPILER_LIBRARIES:}${LD_LIBRARY_PATH:-} "$@"
}

# clang_cl TARGET CPU LIBRARY SOURCE OPTIONS RESULT OPTION...
clang_cl() {
    target=$1 cpu=$2 library=$3 source=$4 options=$5 result=$6
    shift 6
    # options is a list of words.
    # shellcheck disable=SC2086
    with_libraries "$clang" -x cl -O3 $options -target "$target" "$cpu" -nogpulib \
        -Xclang -finclude-default-header -Xclang -mlink-builtin-bitcode -Xclang "$library" \
        "$@" -S "$source" -o "$result"
}

clang_version() {
    with_libraries "$clang" --version | sed -n '1s/.*version \([0-9.]*\).*/clang \1/p'
}

missing_nvidia() {
    [ -n "$clang" ] || echo "clang (19 or later)"
    [ -f "$libclc/nvptx64--nvidiacl.bc" ] || echo "libclc for nvptx64"
    [ -n "$libdevice" ] || echo "libdevice"
    [ -n "$ptxas" ] || echo "ptxas"
}

missing_emulator() {
    [ -n "$nvdisasm" ] || echo "nvdisasm"
    python3 -c 'import numpy' 2>/dev/null || echo "Python with numpy"
}

version_nvidia() {
    echo "$(clang_version), ptxas $("$ptxas" --version | sed -n 's/.* V\([0-9.]*\)$/\1/p')"
}

compile_nvidia() {
    clang_cl nvptx64-nvidia-cuda "-march=$1" "$libclc/nvptx64--nvidiacl.bc" "$2" "$3" \
        "$work/code.ptx" -include "$here/nvidia.cl" -Xclang -mlink-builtin-bitcode \
        -Xclang "$libdevice" || return 1
    "$ptxas" -v -arch="$1" "$work/code.ptx" -o "$work/code.cubin" 2>"$work/told" ||
        { cat "$work/told" >&2; return 1; }
    awk '
        /Compiling entry function/ { split($0, quoted, "\047"); kernel = quoted[2] }
        /bytes stack frame/ { private = $1; spill = $5 }
        /Used [0-9]+ registers/ {
            local_bytes = 0
            for (i = 1; i <= NF; i++) {
                if ($i == "Used") registers = $(i + 1)
                if ($i ~ /^smem/) local_bytes = $(i - 2)
            }
            print kernel, registers, spill, private, local_bytes
        }' "$work/told"
}

missing_amd() {
    [ -n "$clang" ] || echo "clang (19 or later)"
    [ -f "$libclc/amdgcn--amdhsa.bc" ] || echo "libclc for amdgcn"
}

version_amd() {
    clang_version
}

compile_amd() {
    clang_cl amdgcn-amd-amdhsa "-mcpu=$1" "$libclc/amdgcn--amdhsa.bc" "$2" "$3" "$work/code.s" ||
        return 1
    awk '
        /^    \.name:/ { kernel = $2 }
        /\.group_segment_fixed_size:/ { local_bytes = $NF }
        /^    \.private_segment_fixed_size:/ { private = $2 }
        /^    \.vgpr_count:/ { registers = $2 }
        /^    \.vgpr_spill_count:/ { spill = $2 }
        /^    \.wavefront_size:/ { print kernel, registers, spill, private, local_bytes }
        ' "$work/code.s"
}

missing_intel() {
    [ -n "$ocloc" ] || echo "ocloc"
}

# It answers into a file of the working folder.
version_intel() {
    (cd "$work" && with_libraries "$ocloc" query OCL_DRIVER_VERSION >/dev/null 2>&1)
    echo "ocloc $(cat "$work/OCL_DRIVER_VERSION" 2>/dev/null)"
}

# What does not fit is compiled again, with arrays in memory, which counts as a spill: files with
# _1_ in their name.
compile_intel() {
    rm -rf "$work/intel"
    mkdir "$work/intel"
    IGC_ShaderDumpEnable=1 IGC_DumpToCustomDir=$work/intel with_libraries "$ocloc" compile -q \
        -file "$2" -device "$1" -out_dir "$work/intel/out" -options "$3" >"$work/told" 2>&1 ||
        { cat "$work/told" >&2; return 1; }
    for file in "$work"/intel/*_simd*.asm; do
        again=0
        case $file in
        *_1_simd*) again=1 ;;
        *) ! ls "${file%_simd*}"_1_simd*"_${file##*_}" >/dev/null 2>&1 || continue ;;
        esac
        simd=${file##*_simd}
        simd=${simd%%_*}
        awk -v simd="$simd" -v again="$again" '
            /^\/\/\.kernel / { kernel = $2 }
            /^\/\/\.thread_config/ { split($0, parts, /numGRF=|,/); grf = parts[2] }
            /^\/\/\.spill size/ { spill = $3 }
            END { print kernel, grf "/" simd, again ? "again" : spill + 0, "-", "-" }' "$file"
    done
}
