#include "kernels/thread_tiles.h"

#include "device/architectures.h"

bool sqa_thread_tiles_can_run(const sqa_device *device, const char **why)
{
    const sqa_device_limits *limits = &device->limits;
    if (limits->max_work_group_size >= 4 && limits->max_work_item_sizes[0] >= 2 &&
        limits->max_work_item_sizes[1] >= 2)
        return true;
    *why = "needs work-groups of at least 4 work-items";
    return false;
}

bool sqa_threads_can_run(const sqa_device *device, size_t across, size_t down, const char **why)
{
    const size_t *most = device->limits.max_work_item_sizes;
    if (across * down > device->limits.max_work_group_size || across > most[0] || down > most[1])
        *why = "the work-group is larger than the device allows";
    else if (across * down > sqa_architecture_find(device)->most_items)
        *why = "a work-group of so many threads waits too long at barriers";
    else
        return true;
    return false;
}

bool sqa_threads_fill_lanes(const sqa_device *device, size_t across, size_t down, const char **why)
{
    const sqa_device_limits *limits = &device->limits;
    const size_t usual = sqa_architecture_find(device)->least_items;
    const size_t least = limits->max_work_group_size < usual ? limits->max_work_group_size : usual;
    const size_t *most = limits->max_work_item_sizes;
    if (2 * across * down > least || 2 * across * down > most[0] * most[1])
        return true;
    *why = "a work-group of so few threads leaves lanes idle";
    return false;
}

uint32_t sqa_divide_up(uint32_t a, uint32_t b)
{
    return (a + b - 1) / b;
}

uint32_t sqa_tile_pitch(int32_t vec, int32_t pad, uint32_t elements)
{
    return sqa_divide_up(elements, (uint32_t)vec) | (uint32_t)pad;
}

bool sqa_registers_suffice(const sqa_device *device, uint32_t registers)
{
    const sqa_architecture *here = sqa_architecture_find(device);
    return registers <= here->item_registers || registers <= here->large_item_registers;
}

const char *sqa_register_option(const sqa_device *device, uint32_t registers)
{
    const sqa_architecture *here = sqa_architecture_find(device);
    return here->large_file && registers > here->item_registers ? here->large_file : "";
}

/* Of a unit that nothing is known of: a common width, enough for four SIMD units, and the
 * memory that one work-group can have. */
enum { USUAL_WIDTH = 32, USUAL_WAVEFRONTS = 4 };

bool sqa_wavefronts_suffice(const sqa_device *device, uint32_t threads, uint64_t local_bytes)
{
    const sqa_architecture *here = sqa_architecture_find(device);
    const sqa_device_limits *limits = &device->limits;
    const uint32_t width = limits->wavefront_width ? limits->wavefront_width
                           : here->wavefront_width ? here->wavefront_width
                                                   : USUAL_WIDTH;
    const uint64_t memory = here->unit_local_memory_bytes     ? here->unit_local_memory_bytes
                            : limits->unit_local_memory_bytes ? limits->unit_local_memory_bytes
                                                              : limits->local_memory_bytes;
    const uint64_t groups = local_bytes ? memory / local_bytes : UINT64_MAX;
    const uint32_t least = here->least_wavefronts ? here->least_wavefronts : USUAL_WAVEFRONTS;
    return groups >= least || groups * sqa_divide_up(threads, width) >= least;
}

void sqa_source_exp2(sqa_text *out, const sqa_device *device)
{
    if (sqa_architecture_find(device)->native_exp2)
        sqa_text_append(out, "#define SQA_EXP2 native_exp2\n");
}

void sqa_source_instructions(sqa_text *out, const sqa_device *device)
{
    const sqa_architecture *here = sqa_architecture_find(device);
    if (here->paired_floats)
        sqa_text_append(out, "#define PAIRED_FLOATS 1\n");
    if (here->no_predicates)
        sqa_text_append(out, "#define NO_PREDICATES 1\n");
    if (here->edges_apart)
        sqa_text_append(out, "#define EDGES_APART 1\n");
}

void sqa_source_subgroup_size(sqa_text *out, const sqa_device *device, uint32_t width)
{
    if (device->limits.subgroup_size_on_request)
        sqa_text_format(out,
                        "#define SUBGROUP_ATTRIBUTE "
                        "__attribute__((intel_reqd_sub_group_size(%u)))\n",
                        sqa_subgroup_size_for(&device->limits, width));
}
