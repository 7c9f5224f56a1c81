/* tiled: the GPU family. Work-groups share tiles of Q, K, V and the weights
 * through local memory; the algorithm is in cl/forward/tiled.cl and the
 * fragments tiled_*.cl. */
#include "device/architectures.h"
#include "device/subgroups.h"
#include "kernels/families.h"
#include "kernels/source.h"
#include "kernels/thread_tiles.h"
#include "kernels/work_division.h"

enum {
    BM,
    BN,
    TX,
    TY,
    VEC,
    DK,
    STAGE,
    Q_PLACE,
    P_SLICE,
    PAD,
    UNROLL,
    SUBGROUP,
    SHARE,
    SPLIT,
    PARAMETER_COUNT
};

/* Values of Q_PLACE. */
enum { Q_IN_GLOBAL, Q_IN_LOCAL, Q_IN_REGISTERS };

static const sqa_parameter parameters[PARAMETER_COUNT] = {
    [BM] = {"BM", "query rows of a work-group", {8, 16, 32, 64, 128}, 5},
    [BN] = {"BN", "keys of a key tile", {8, 16, 32, 64, 128}, 5},
    [TX] = {"TX", "threads across keys and columns", {2, 4, 8, 16, 32}, 5},
    [TY] = {"TY", "threads across rows", {2, 4, 8, 16, 32}, 5},
    [VEC] = {"VEC", "elements of a vector load", {1, 2, 4}, 3},
    [DK] = {"DK", "head dimensions of a staged K slice", {8, 16, 32}, 3},
    [STAGE] = {"STAGE", "1: K and V pass through local memory", {0, 1}, 2},
    [Q_PLACE] = {"Q_PLACE", "Q in 0: global memory, 1: local memory, 2: registers", {0, 1, 2}, 3},
    [P_SLICE] = {"P_SLICE", "1: weights pass through local memory in slices, as V does", {0, 1}, 2},
    [PAD] = {"PAD", "1: rows of local tiles are an odd number of vectors", {0, 1}, 2},
    [UNROLL] = {"UNROLL", "elements in an unrolled step of the inner loops", {4, 8}, 2},
    [SUBGROUP] = {"SUBGROUP", "1: row maxima by sub-group shuffles", {0, 1}, 2},
    [SHARE] = {"SHARE", "1: query heads of one key/value head share its tiles", {0, 1}, 2},
    [SPLIT] = {"SPLIT", "work-groups that divide the keys among them", {1, 2, 4, 8, 16}, 5},
};

/* From here on a loop over the whole head dimension is too long to be unrolled. */
#define LONG_HEAD_DIM 192

static bool supports(const sqa_problem *problem, const sqa_device *device, const char **why)
{
    const sqa_attention *attention = &problem->of.attention;
    if (attention->kv_dtype == attention->dtype)
        return sqa_thread_tiles_can_run(device, why);
    *why = "needs K and V stored as Q is";
    return false;
}

static uint32_t pitch(const int32_t *value, uint32_t elements)
{
    return sqa_tile_pitch(value[VEC], value[PAD], elements);
}

static uint32_t k_slice_vecs(const int32_t *value)
{
    return (uint32_t)value[BN] * pitch(value, (uint32_t)value[DK]);
}

/* Keys of a staged V slice: slices of K and V take turns in the same memory, and the
 * longer they are the fewer barriers it takes. */
static uint32_t v_slice_keys(const int32_t *value, const sqa_attention *attention)
{
    const uint32_t row = sqa_divide_up(attention->value_dim, (uint32_t)value[VEC]);
    const uint32_t least = value[P_SLICE] && value[TX] > 4 ? (uint32_t)value[TX] : 4;
    uint32_t keys = value[BN] < 16 ? (uint32_t)value[BN] : 16;
    while (keys > least && keys * row > k_slice_vecs(value))
        keys /= 2;
    return keys;
}

static uint32_t v_slice_vecs(const int32_t *value, const sqa_attention *attention)
{
    return v_slice_keys(value, attention) *
           sqa_divide_up(attention->value_dim, (uint32_t)value[VEC]);
}

/* A thread's part of a slice, which it holds while the slice before is computed with. */
static uint32_t staged_elements(const int32_t *value, const sqa_attention *attention)
{
    const uint32_t k_slice = (uint32_t)(value[BN] * value[DK] / value[VEC]);
    const uint32_t v_slice = v_slice_vecs(value, attention);
    const uint32_t threads = (uint32_t)(value[TX] * value[TY]);
    return (uint32_t)value[VEC] * sqa_divide_up(k_slice > v_slice ? k_slice : v_slice, threads);
}

/* Of a row: weights that lie in local memory at a time, of a key tile or of two slices. */
static uint32_t weight_vecs(const int32_t *value, const sqa_attention *attention)
{
    return value[P_SLICE] ? 2 * pitch(value, v_slice_keys(value, attention))
                          : pitch(value, (uint32_t)value[BN]);
}

/* Slices in which each thread has keys, and that take less memory than all at once. */
static bool weights_have_slices(const int32_t *value, const sqa_attention *attention)
{
    return value[STAGE] && v_slice_keys(value, attention) % (uint32_t)value[TX] == 0 &&
           weight_vecs(value, attention) < pitch(value, (uint32_t)value[BN]);
}

/* Of row_facts in cl/forward/tiled_rows.cl. */
static uint32_t fact_words(const sqa_attention *attention)
{
    const bool globals = attention->mask & SQA_MASK_GLOBALS;
    const bool alibi = attention->score & SQA_SCORE_ALIBI;
    const bool dropout = attention->score & SQA_SCORE_DROPOUT;
    return 2 + 1u * globals + 2u * alibi + 2u * dropout;
}

static uint64_t local_bytes(const int32_t *value, const sqa_attention *attention,
                            const sqa_device *device)
{
    const uint32_t rows = (uint32_t)value[BM], vec = (uint32_t)value[VEC];
    const uint32_t k_slice = k_slice_vecs(value), v_slice = v_slice_vecs(value, attention);
    uint32_t floats = rows * (vec * weight_vecs(value, attention) + fact_words(attention));
    if (value[P_SLICE])
        floats += 2 * rows * (uint32_t)value[TX]; /* maxima and sums */
    else if (!value[SUBGROUP])
        floats += rows * (uint32_t)value[TX];
    if (value[Q_PLACE] == Q_IN_LOCAL)
        floats += vec * rows * pitch(value, attention->head_dim);
    if (value[STAGE])
        floats += vec * 2 * (k_slice > v_slice ? k_slice : v_slice);
    if (value[STAGE] && sqa_architecture_find(device)->no_predicates)
        floats += 2; /* what is known of two slices of V */
    return 4 * (uint64_t)floats;
}

/* Of a thread: what it keeps of its rows and, with what converts it, of a slice; and what it
 * multiplies at a time, in the first half of a key tile (scores) or in the second (output). */
static uint32_t registers(const int32_t *value, const sqa_attention *attention,
                          const sqa_device *device)
{
    const uint32_t vec = (uint32_t)value[VEC];
    const uint32_t sums = vec > 1 && sqa_architecture_find(device)->paired_floats ? 2 : 1;
    const uint32_t rows = (uint32_t)(value[BM] / value[TY]);
    const uint32_t keys = (uint32_t)(value[BN] / value[TX]);
    const uint32_t columns =
        vec * sqa_divide_up(sqa_divide_up(attention->value_dim, vec), (uint32_t)value[TX]);
    const uint32_t scores = sums * rows * keys + (keys + 1) * vec;
    const bool converts = attention->dtype != SQA_DTYPE_F32;
    const uint32_t output = (value[P_SLICE] ? rows * keys : 0) + (rows + 1) * vec;
    uint32_t kept = rows * (columns + (value[P_SLICE] ? 0 : 2));
    if (value[STAGE])
        kept += staged_elements(value, attention) * (converts ? 3 : 2) / 2;
    else
        kept += 2 * (rows + keys); /* addresses */
    if (value[Q_PLACE] == Q_IN_REGISTERS)
        kept += rows * vec * sqa_divide_up(attention->head_dim, vec);
    return kept + (scores > output ? scores : output);
}

/* Work-items of a sub-group: where a kernel asks for a size, the smallest will do. */
static uint32_t subgroup_width(const int32_t *value)
{
    return value[SUBGROUP] ? (uint32_t)value[TX] : 1;
}

/* As the device counts them: a hardware thread divides its registers among a sub-group. */
static uint32_t registers_on(const int32_t *value, const sqa_attention *attention,
                             const sqa_device *device)
{
    const uint32_t count = registers(value, attention, device);
    if (!device->limits.subgroup_size_on_request)
        return count;
    return count * sqa_subgroup_size_for(&device->limits, subgroup_width(value)) /
           sqa_subgroup_size_for(&device->limits, 1);
}

/* The threads of a row, whose maxima are read in vectors, do not fill one, or some of
 * them would have no columns. */
static bool vectors_are_too_wide(const int32_t *value, const sqa_attention *attention)
{
    return value[VEC] > value[TX] ||
           (value[VEC] > 1 && (value[TX] - 1) * value[VEC] >= (int32_t)attention->value_dim);
}

/* Half as many head dimensions are all of them. */
static bool slice_is_too_long(const int32_t *value, const sqa_attention *attention)
{
    return value[DK] > parameters[DK].values[0] && value[DK] / 2 >= (int32_t)attention->head_dim;
}

/* Whether the tiles divide among the threads, and parameters that could only repeat
 * or harm another configuration are left out. */
static bool shape_is_valid(const int32_t *value, const sqa_attention *attention, const char **why)
{
    const int32_t least_dk = parameters[DK].values[0], least_unroll = parameters[UNROLL].values[0];
    if (value[BM] % value[TY] != 0 || value[BN] % value[TX] != 0)
        *why = "BM must be a multiple of TY, and BN of TX";
    else if (vectors_are_too_wide(value, attention))
        *why = "VEC must be at most TX, and leave no thread without columns";
    else if (!value[STAGE] && value[DK] != least_dk)
        *why = "without STAGE, DK has no effect and stays at its least";
    else if (value[P_SLICE] && !weights_have_slices(value, attention))
        *why = "slices of weights are those of a staged V, of TX keys or more, and save memory";
    else if (slice_is_too_long(value, attention))
        *why = "a K slice of half as many dimensions holds all of them";
    else if (value[BM] / value[TY] > SQA_MOST_PER_THREAD ||
             value[BN] / value[TX] > SQA_MOST_PER_THREAD)
        *why = "a thread can have at most 8 rows and 8 keys";
    else if (value[Q_PLACE] == Q_IN_REGISTERS && attention->head_dim >= LONG_HEAD_DIM)
        *why = "Q in registers unrolls the head dimension, which is too long for it";
    else if (value[Q_PLACE] == Q_IN_REGISTERS && value[UNROLL] != least_unroll)
        *why = "with Q in registers everything is unrolled, and UNROLL stays at its least";
    else
        return true;
    return false;
}

/* Whether the rows fill more than a quarter of the tile, or it is the least. */
static bool rows_are_enough(const int32_t *value, const sqa_attention *attention)
{
    const uint64_t rows =
        (uint64_t)attention->q_length * (value[SHARE] ? sqa_attention_group(attention) : 1);
    return value[BM] == parameters[BM].values[0] || (uint64_t)value[BM] < 4 * rows;
}

static bool is_valid(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                     const char **why)
{
    const sqa_attention *attention = &problem->of.attention;
    const int32_t *value = config->value;
    const sqa_device_limits *limits = &device->limits;
    const size_t across = (size_t)value[TX], down = (size_t)value[TY];
    if (!shape_is_valid(value, attention, why) || !sqa_threads_can_run(device, across, down, why) ||
        !sqa_threads_fill_lanes(device, across, down, why))
        return false;
    if (value[VEC] == 4 && !value[PAD] && !limits->local_memory_is_global)
        *why = "vectors of four in rows without PAD meet in the same banks of local memory";
    else if (!rows_are_enough(value, attention))
        *why = "three quarters of the tile would have no rows";
    else if (local_bytes(value, attention, device) > limits->local_memory_bytes)
        *why = "the tiles do not fit the device's local memory";
    else if (value[SUBGROUP] && !sqa_subgroup_size_for(limits, (uint32_t)value[TX]))
        *why = "SUBGROUP needs sub-groups with shuffles, of at least TX work-items";
    else if (!sqa_registers_suffice(device, registers_on(value, attention, device)))
        *why = "what a thread holds does not fit the registers";
    else if (value[SHARE] && !sqa_sharing_can_run(attention))
        *why = sqa_sharing_needs;
    else if (value[SPLIT] > 1 && !sqa_split_can_pay(attention, value[SHARE], value[BM], device))
        *why = "the rows alone keep the device busy without SPLIT";
    else
        return true;
    return false;
}

/* Sound without measurement, from large to small. The first valid one is taken that keeps a
 * compute unit busy, so that one wavefront computes while another waits; which that is depends
 * on how many fit the registers and the local memory (the totals of long rows lie in private
 * memory). */
static const sqa_config defaults[] = {
    {{64, 64, 8, 8, 4, 8, 1, Q_IN_LOCAL, 1, 1, 8, 0, 0, 1}},
    {{64, 64, 8, 16, 4, 16, 1, Q_IN_LOCAL, 0, 1, 8, 0, 0, 1}},
    {{32, 64, 16, 4, 4, 8, 1, Q_IN_LOCAL, 0, 1, 8, 0, 0, 1}},
    {{32, 64, 16, 8, 4, 16, 1, Q_IN_LOCAL, 0, 1, 8, 0, 0, 1}},
    {{32, 32, 8, 8, 4, 16, 1, Q_IN_LOCAL, 0, 1, 8, 0, 0, 1}},
    {{32, 64, 16, 16, 4, 16, 1, Q_IN_LOCAL, 0, 1, 8, 0, 0, 1}},
    {{16, 32, 16, 8, 4, 16, 1, Q_IN_LOCAL, 0, 1, 8, 0, 0, 1}},
    {{16, 16, 16, 8, 4, 8, 1, Q_IN_GLOBAL, 0, 1, 8, 0, 0, 1}},
    {{8, 16, 8, 4, 4, 8, 0, Q_IN_GLOBAL, 0, 1, 4, 0, 0, 1}},
    {{8, 32, 32, 4, 4, 8, 0, Q_IN_GLOBAL, 0, 1, 4, 0, 0, 1}},
    {{8, 8, 8, 2, 4, 8, 0, Q_IN_GLOBAL, 0, 1, 4, 0, 0, 1}},
    {{8, 8, 2, 2, 4, 8, 0, Q_IN_GLOBAL, 0, 1, 4, 0, 0, 1}},
};

/* Narrows vectors and slices to what the head dimensions can fill. */
static void narrow(int32_t *value, const sqa_attention *attention)
{
    while (vectors_are_too_wide(value, attention))
        value[VEC] /= 2;
    while (slice_is_too_long(value, attention))
        value[DK] /= 2;
}

static void default_config(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    const sqa_attention *attention = &problem->of.attention;
    /* Staging only copies where local memory is ordinary memory. */
    const bool stage = !device->limits.local_memory_is_global;
    const char *why = NULL;
    bool found = false;
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        sqa_config next = defaults[i];
        int32_t *value = next.value;
        narrow(value, attention);
        if ((value[STAGE] && !stage) || !is_valid(&next, problem, device, &why))
            continue;
        if (!found)
            *config = next;
        found = true;
        if (!stage || sqa_wavefronts_suffice(device, (uint32_t)(value[TX] * value[TY]),
                                             local_bytes(value, attention, device))) {
            *config = next;
            return;
        }
    }
}

static const char *const fragments[] = {
    SQA_FORWARD_FRAGMENTS,    "forward/sharing.cl",
    "forward/split.cl",       "forward/walk_tiles.cl",
    "common/lanes.cl",        "forward/tiled_shape.cl",
    "forward/tiled_stage.cl", "forward/tiled_rows.cl",
    "forward/tiled.cl",       NULL,
};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    const sqa_attention *attention = &problem->of.attention;
    sqa_source_subgroup_size(out, device, subgroup_width(config->value));
    sqa_source_exp2(out, device);
    sqa_source_instructions(out, device);
    sqa_text_format(out, "#define VS %u\n", v_slice_keys(config->value, attention));
    sqa_source_combine(out, device);
    sqa_source_forward(out, problem, config->value[SPLIT] > 1);
    sqa_source_fragments(out, &sqa_tiled_forward);
}

static sqa_build_needs needs(const sqa_config *config, const sqa_problem *problem,
                             const sqa_device *device)
{
    const uint32_t count = registers_on(config->value, &problem->of.attention, device);
    return (sqa_build_needs){
        .standard = config->value[SUBGROUP] ? sqa_subgroup_standard(&device->strings) : NULL,
        .option = sqa_register_option(device, count),
    };
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_attention *attention = &problem->of.attention;
    const int32_t *value = config->value;
    const size_t across = (size_t)value[TX], down = (size_t)value[TY];
    sqa_launch_step *step = sqa_launch_add_step(out, "sqa_tiled_forward", 3);
    step->local[0] = across;
    step->local[1] = down;
    step->local[2] = 1;
    step->global[0] = sqa_row_blocks(attention, value[SHARE], value[BM]) * across;
    step->global[1] = sqa_matrix_count(attention, value[SHARE]) * down;
    step->global[2] = (size_t)attention->batch * (size_t)value[SPLIT];
    sqa_forward_launch(problem, device, value[SPLIT], value[BN], out);
}

const sqa_kernel_family sqa_tiled_forward = {
    .name = "tiled",
    .summary = "GPU: work-groups share tiles through local memory",
    .operation = SQA_OPERATION_FORWARD,
    .space_version = 3,
    .parameters = parameters,
    .parameter_count = PARAMETER_COUNT,
    .fragments = fragments,
    .supports = supports,
    .is_valid = is_valid,
    .default_config = default_config,
    .source = source,
    .launch = launch,
    .needs = needs,
};
