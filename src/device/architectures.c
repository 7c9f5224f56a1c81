#include "device/architectures.h"

enum { ANY_TYPE = -1 };

/* More accumulators than this spill on every CPU known; fewer leave fma idle. */
#define ACCUMULATORS 24

/* With addresses and loads under way on top, compilers for NVIDIA and AMD need all of a
 * thread's 256 registers for this many, and spill from about 180 on. */
#define ITEM_REGISTERS 160

static const struct {
    int type;               /* sqa_device_type */
    uint32_t native_floats; /* of a vector, at least */
    sqa_architecture figures;
} architectures[] = {
    /* CPUs with vectors of 16 floats; register tiles are the best of sweeps on AVX-512. */
    {SQA_DEVICE_CPU,
     16,
     {.vector_lanes = 16,
      .accumulators = ACCUMULATORS,
      .private_bytes = 384 * 1024,
      .register_tiles = {{16, 3, 4, 100}, {16, 4, 4, 101}, {16, 1, 8, 102}},
      .item_registers = ITEM_REGISTERS,
      .least_items = 32,
      .most_items = 256,
      .group_items = 1,
      .read_floats = 16,
      .compute_floats = 8}},
    /* Other CPUs; register tiles are the best of sweeps on AVX2. */
    {SQA_DEVICE_CPU,
     0,
     {.vector_lanes = 8,
      .accumulators = ACCUMULATORS,
      .private_bytes = 384 * 1024,
      .register_tiles = {{8, 3, 4, 100}, {8, 4, 3, 102}, {16, 1, 6, 107}},
      .item_registers = ITEM_REGISTERS,
      .least_items = 32,
      .most_items = 256,
      .group_items = 1,
      .read_floats = 16,
      .compute_floats = 8}},
    /* GPUs and whatever else has work-groups. */
    {ANY_TYPE,
     0,
     {.item_registers = ITEM_REGISTERS,
      .least_items = 32,
      .most_items = 256,
      .group_items = 128,
      .read_floats = 4,
      .compute_floats = 4}},
};

const sqa_architecture *sqa_architecture_find(const sqa_device *device)
{
    size_t i = 0;
    while (
        (architectures[i].type != ANY_TYPE && architectures[i].type != (int)device->strings.type) ||
        device->limits.vector_width_float < architectures[i].native_floats)
        i++;
    return &architectures[i].figures;
}
