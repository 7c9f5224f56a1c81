#include "kernels/linear_tiles.h"

#include "kernels/thread_tiles.h"

uint32_t sqa_linear_slices(const int32_t *value, const sqa_linear *linear)
{
    return sqa_divide_up(linear->attention.value_dim, (uint32_t)value[SQA_TILES_COLUMNS]);
}

bool sqa_linear_tiles_are_whole(const int32_t *value, const sqa_linear *linear, int32_t least,
                                const char **why)
{
    const int32_t chunk = value[SQA_TILES_CHUNK], columns = value[SQA_TILES_COLUMNS];
    const int32_t tx = value[SQA_TILES_TX], ty = value[SQA_TILES_TY];
    if (chunk % tx != 0 || chunk % ty != 0)
        *why = "CHUNK must be a multiple of TX and TY";
    else if (columns % (tx * value[SQA_TILES_VEC]) != 0)
        *why = "COLUMNS must be a multiple of TX times VEC";
    else if (chunk / tx > SQA_MOST_PER_THREAD || chunk / ty > SQA_MOST_PER_THREAD ||
             columns / tx > SQA_MOST_PER_THREAD)
        *why = "a thread can have at most 8 tokens and 8 columns";
    else if (columns > least && columns / 2 >= (int32_t)linear->attention.value_dim)
        *why = "half as many COLUMNS are all of them";
    else
        return true;
    return false;
}

static bool has_groups(const int32_t *value, const sqa_linear *l, const sqa_device *device)
{
    const uint64_t states = (uint64_t)l->attention.batch * l->attention.kv_heads;
    return device->limits.local_memory_is_global ||
           states * sqa_linear_slices(value, l) >= device->strings.compute_units;
}

static bool has_wavefronts(const int32_t *value, uint64_t local_bytes, const sqa_device *device)
{
    return device->limits.local_memory_is_global ||
           sqa_wavefronts_suffice(device, (uint32_t)(value[SQA_TILES_TX] * value[SQA_TILES_TY]),
                                  local_bytes);
}

bool sqa_linear_default(const sqa_linear_defaults *from, const sqa_problem *problem,
                        const sqa_device *device, sqa_config *config, const char **why)
{
    const sqa_linear *l = &problem->of.linear;
    bool found = false, fits = false;
    for (size_t i = 0; i < from->count; i++) {
        const int32_t *value = from->configs[i].value;
        if (!from->is_valid(&from->configs[i], problem, device, why))
            continue;
        const bool also_fits = has_wavefronts(value, from->local_bytes(value, l), device);
        if (!found || (also_fits && (i < from->for_little_memory || !fits)))
            *config = from->configs[i];
        found = true;
        fits = fits || also_fits;
        if (fits && (i + 1 >= from->for_little_memory || has_groups(value, l, device)))
            break;
    }
    return found;
}

bool sqa_linear_tiles_fit(const int32_t *value, const sqa_device *device, uint64_t local_bytes,
                          uint32_t registers, const char **why)
{
    if (!sqa_threads_can_run(device, (size_t)value[SQA_TILES_TX], (size_t)value[SQA_TILES_TY], why))
        return false;
    if (local_bytes > device->limits.local_memory_bytes)
        *why = "state and tiles do not fit the device's local memory";
    else if (!sqa_registers_suffice(device, registers))
        *why = "what a thread holds does not fit the registers";
    else
        return true;
    return false;
}
