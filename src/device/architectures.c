#include "device/architectures.h"

#include <string.h>

enum { ANY_TYPE = -1 };

/* More accumulators than this spill on every CPU known; fewer leave fma idle. */
#define ACCUMULATORS 24

/* With addresses and loads under way on top, compilers for NVIDIA and AMD CDNA need all of a
 * thread's 256 registers for this many, and spill from about 180 on; from sm_90 on, where there
 * are as many but addresses take fewer, a little later. */
#define ITEM_REGISTERS 160
#define SM_90_REGISTERS 176

#define OF_WORK_GROUPS                                                                             \
    .least_items = 32, .most_items = 256, .group_items = 128, .read_floats = 4, .compute_floats = 4

#define NVIDIA(begin, registers, kib)                                                              \
    {                                                                                              \
        SQA_DEVICE_GPU, 0, "nvidia", begin, NULL,                                                  \
        {                                                                                          \
            OF_WORK_GROUPS, .item_registers = (registers), .native_exp2 = true,                    \
                            .edges_apart = true, .wavefront_width = 32, .least_wavefronts = 8,     \
                            .unit_local_memory_bytes = (kib)*1024                                  \
        }                                                                                          \
    }

#define AMD(begin, registers, width, kib, pairs)                                                   \
    {                                                                                              \
        SQA_DEVICE_GPU, 0, "amd", begin, NULL,                                                     \
        {                                                                                          \
            OF_WORK_GROUPS, .item_registers = (registers), .paired_floats = (pairs),               \
                            .no_predicates = true, .wavefront_width = (width),                     \
                            .least_wavefronts = 4, .unit_local_memory_bytes = (kib)*1024           \
        }                                                                                          \
    }

/* Limits of registers are those that tests/gpu/compile.sh finds no spills with. */
static const struct {
    int type;                 /* sqa_device_type */
    uint32_t native_floats;   /* of a vector, at least */
    const char *vendor;       /* of the identity; NULL: any */
    const char *architecture; /* how it begins */
    const char *runtime;
    sqa_architecture figures;
} architectures[] = {
    /* CPUs with vectors of 16 floats; register tiles are the best of sweeps on AVX-512. */
    {SQA_DEVICE_CPU,
     16,
     NULL,
     NULL,
     NULL,
     {.vector_lanes = 16,
      .accumulators = ACCUMULATORS,
      .private_bytes = 384 * 1024,
      .register_tiles = {{16, 3, 4, 100}, {16, 4, 4, 101}, {16, 1, 8, 102}},
      .item_registers = ITEM_REGISTERS,
      .edges_apart = true,
      .least_items = 32,
      .most_items = 256,
      .group_items = 1,
      .read_floats = 16,
      .compute_floats = 8}},
    /* Other CPUs; register tiles are the best of sweeps on AVX2. */
    {SQA_DEVICE_CPU,
     0,
     NULL,
     NULL,
     NULL,
     {.vector_lanes = 8,
      .accumulators = ACCUMULATORS,
      .private_bytes = 384 * 1024,
      .register_tiles = {{8, 3, 4, 100}, {8, 4, 3, 102}, {16, 1, 6, 107}},
      .item_registers = ITEM_REGISTERS,
      .edges_apart = true,
      .least_items = 32,
      .most_items = 256,
      .group_items = 1,
      .read_floats = 16,
      .compute_floats = 8}},
    /* NVIDIA: four schedulers that want two warps each; local memory of a unit by the compute
     * capability, and 2^x of 2 ulp in one instruction, to which exp2() adds three for subnormal
     * numbers: CUDA C++ programming guide. */
    NVIDIA("sm_80", ITEM_REGISTERS, 164),
    NVIDIA("sm_8", ITEM_REGISTERS, 100),
    NVIDIA("sm_90", SM_90_REGISTERS, 228),
    NVIDIA("sm_10", SM_90_REGISTERS, 228),
    NVIDIA("sm_12", ITEM_REGISTERS, 100),
    NVIDIA("", ITEM_REGISTERS, 64),
    /* AMD: GCN and CDNA, wavefronts of 64 on four SIMD units, from CDNA 2 on with instructions for
     * two neighbours; RDNA, of 32, where OpenCL counts pairs of compute units as one. */
    AMD("gfx1", 107, 32, 128, false),
    AMD("gfx90a", ITEM_REGISTERS, 64, 64, true),
    AMD("gfx94", ITEM_REGISTERS, 64, 64, true),
    AMD("gfx95", ITEM_REGISTERS, 64, 160, true),
    AMD("", ITEM_REGISTERS, 64, 64, false),
    /* Intel: 128 registers of a hardware thread, as wide as its smallest sub-group. Its own
     * runtime gives twice as many to half as many threads, from Xe-HPG and Xe-HPC on. */
    {SQA_DEVICE_GPU,
     0,
     "intel",
     "xe-hp",
     "intel",
     {OF_WORK_GROUPS, .item_registers = 50, .large_item_registers = 107,
      .large_file = "-cl-intel-256-GRF-per-thread"}},
    {SQA_DEVICE_GPU, 0, "intel", NULL, NULL, {OF_WORK_GROUPS, .item_registers = 50}},
    /* GPUs and whatever else has work-groups. */
    {ANY_TYPE, 0, NULL, NULL, NULL, {OF_WORK_GROUPS, .item_registers = ITEM_REGISTERS}},
};

static bool begins(const char *text, const char *start)
{
    return !start || !strncmp(text, start, strlen(start));
}

const sqa_architecture *sqa_architecture_find(const sqa_device *device)
{
    const sqa_device_identity *identity = &device->identity;
    size_t i = 0;
    while (
        (architectures[i].type != ANY_TYPE && architectures[i].type != (int)device->strings.type) ||
        device->limits.vector_width_float < architectures[i].native_floats ||
        !begins(identity->vendor, architectures[i].vendor) ||
        !begins(identity->architecture, architectures[i].architecture) ||
        !begins(identity->runtime, architectures[i].runtime))
        i++;
    return &architectures[i].figures;
}
