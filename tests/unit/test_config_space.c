/* The configuration space of every family, on devices made up for the purpose:
 * exactly the valid configurations, each of which survives being written down. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/config_space.h"
#include "kernels/registry.h"
#include "operations/operations.h"
#include "operations/shape.h"
#include "run_suite.h"

#define CPU(width)                                                                                 \
    {                                                                                              \
        .strings = {.compute_units = 2, .type = SQA_DEVICE_CPU}, .limits = {                       \
            .max_work_group_size = 4096,                                                           \
            .max_work_item_sizes = {4096, 4096, 4096},                                             \
            .local_memory_bytes = 512u << 10,                                                      \
            .local_memory_is_global = true,                                                        \
            .vector_width_float = (width)                                                          \
        }                                                                                          \
    }

/* A CPU, one with wide vectors, a GPU, a GPU with little of everything. */
static const sqa_device devices[] = {
    CPU(8),
    CPU(16),
    {.strings = {.compute_units = 64, .type = SQA_DEVICE_GPU},
     .limits = {.max_work_group_size = 1024,
                .max_work_item_sizes = {1024, 1024, 64},
                .local_memory_bytes = 48u << 10,
                .vector_width_float = 1,
                .subgroup_sizes = {8, 16, 32},
                .subgroup_size_on_request = true}},
    {.strings = {.compute_units = 4, .type = SQA_DEVICE_GPU},
     .limits = {.max_work_group_size = 64,
                .max_work_item_sizes = {64, 64, 64},
                .local_memory_bytes = 8u << 10,
                .vector_width_float = 1}},
};
enum { DEVICE_COUNT = sizeof devices / sizeof *devices };

/* The first is the one that every test looks at. */
static const uint32_t dims[] = {64, 1, 7, 80, 128, 512};
enum { DIM_COUNT = sizeof dims / sizeof *dims };

/* A shape of every operation, up to the number of a dimension. */
static const struct {
    sqa_operation operation;
    const char *shape;
} shapes[] = {
    {SQA_OPERATION_SELECT_BLOCKS, "hq=4,n=1000,blocks=64x64/h,topk=4,d="},
    {SQA_OPERATION_BACKWARD_DELTA, "heads=4,rows=1000,d="},
    {SQA_OPERATION_BACKWARD_SCORES, "hq=4,n=1000,bias=f32/hq,grads=bias,d="},
    {SQA_OPERATION_MATMUL, "m=1000,n=1000,k="},
    {SQA_OPERATION_ACTIVATION, "n=1000,d="},
    {SQA_OPERATION_ACTIVATION_BACKWARD, "n=1000,d="},
    {SQA_OPERATION_MERGE, "heads=4,n=1000,d="},
    {SQA_OPERATION_ROPE, "heads=4,n=1000,d="},
    {SQA_OPERATION_KV_APPEND, "hkv=4,n=100,nk=1000,page=16,d="},
    {SQA_OPERATION_NORM, "heads=4,n=1000,d="},
    {SQA_OPERATION_NORM_BACKWARD, "heads=4,n=1000,d="},
};

/* With more keys behind; false: its operation has not all of them. */
static bool make_problem(sqa_operation operation, uint32_t dim, const char *more, sqa_problem *out)
{
    const char *shape = "hq=4,n=1000,d=";
    char text[SQA_SHAPE_TEXT];
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (shapes[i].operation == operation)
            shape = shapes[i].shape;
    snprintf(text, sizeof text, "op=%s,%s%u%s", sqa_operation_name(operation), shape, dim, more);
    return sqa_problem_parse(text, out) == SQA_OK;
}

static sqa_problem problem_of(sqa_operation operation, uint32_t dim)
{
    sqa_problem problem;
    ck_assert_msg(make_problem(operation, dim, "", &problem), "%s", sqa_last_error());
    return problem;
}

/* Under a sanitizer (SQA_TEST_SIZE=tiny) the first will do. */
static size_t dim_count(void)
{
    const char *size = getenv("SQA_TEST_SIZE");
    return size && !strcmp(size, "tiny") ? 1 : DIM_COUNT;
}

typedef void (*visit)(const sqa_kernel_family *family, const sqa_problem *problem,
                      const sqa_device *device, const sqa_config_space *space);

/* Every family and device, and the first `dim_count` dimensions: each space takes
 * some millions of steps to go through. */
static void for_each_space(visit check, size_t dim_count)
{
    for (size_t f = 0; f < sqa_family_count(); f++)
        for (size_t d = 0; d < DEVICE_COUNT; d++)
            for (size_t i = 0; i < dim_count; i++) {
                const sqa_kernel_family *family = sqa_family_at(f);
                sqa_problem problem = problem_of(family->operation, dims[i]);
                sqa_config_space space;
                ck_assert_int_eq(sqa_config_space_create(&space, family, &problem, &devices[d]),
                                 SQA_OK);
                check(family, &problem, &devices[d], &space);
                sqa_config_space_free(&space);
            }
}

static int compare(const sqa_kernel_family *family, const sqa_config *a, const sqa_config *b)
{
    for (size_t i = 0; i < family->parameter_count; i++)
        if (a->value[i] != b->value[i])
            return a->value[i] < b->value[i] ? -1 : 1;
    return 0;
}

static void check_members(const sqa_kernel_family *family, const sqa_problem *problem,
                          const sqa_device *device, const sqa_config_space *space)
{
    const char *why = "";
    for (size_t i = 0; i < space->count; i++) {
        ck_assert_msg(sqa_family_accepts(family, &space->configs[i], problem, device, &why),
                      "%s: an invalid configuration was listed: %s", family->name, why);
        if (i % (1 + space->count / 100) == 0)
            ck_assert_uint_eq(sqa_config_space_find(space, &space->configs[i]), i);
        if (i > 0)
            ck_assert_int_lt(compare(family, &space->configs[i - 1], &space->configs[i]), 0);
    }
    if (!family->supports(problem, device, &why))
        ck_assert_uint_eq(space->count, 0);
}

START_TEST(members_are_valid_and_in_order)
{
    for_each_space(check_members, dim_count());
}
END_TEST

/* Counts valid configurations by trying every combination, like a milometer. */
static size_t count_by_trying(const sqa_kernel_family *family, const sqa_problem *problem,
                              const sqa_device *device)
{
    size_t digit[SQA_MAX_PARAMETERS] = {0}, count = 0, place;
    do {
        sqa_config config;
        memset(&config, 0, sizeof config);
        for (size_t i = 0; i < family->parameter_count; i++)
            config.value[i] = family->parameters[i].values[digit[i]];
        count += sqa_family_accepts(family, &config, problem, device, NULL);
        for (place = 0; place < family->parameter_count; place++) {
            if (++digit[place] < family->parameters[place].value_count)
                break;
            digit[place] = 0;
        }
    } while (place < family->parameter_count);
    return count;
}

static void check_count(const sqa_kernel_family *family, const sqa_problem *problem,
                        const sqa_device *device, const sqa_config_space *space)
{
    ck_assert_uint_eq(space->count, count_by_trying(family, problem, device));
}

START_TEST(nothing_is_left_out)
{
    for_each_space(check_count, 1);
}
END_TEST

/* Stored as f16, where more is kept in private memory; with masks that are read, or a gate. */
static const char *const heavier[] = {",dtype=f16", ",dtype=f16,mask=bhq", ",dtype=f16,gated"};

static void check_defaults(const sqa_kernel_family *family, const sqa_device *device, uint32_t dim)
{
    const char *why = "";
    sqa_problem problem;
    sqa_config config;
    for (size_t i = 0; i < sizeof heavier / sizeof *heavier; i++) {
        if (!make_problem(family->operation, dim, heavier[i], &problem) ||
            !family->supports(&problem, device, &why))
            continue;
        memset(&config, 0, sizeof config);
        family->default_config(&problem, device, &config);
        ck_assert_msg(sqa_family_accepts(family, &config, &problem, device, &why),
                      "%s: the default for%s and D = %u: %s", family->name, heavier[i], dim, why);
    }
}

static void check_default(const sqa_kernel_family *family, const sqa_problem *problem,
                          const sqa_device *device, const sqa_config_space *space)
{
    const char *why = "";
    sqa_config config;
    memset(&config, 0, sizeof config);
    if (!family->supports(problem, device, &why))
        return;
    family->default_config(problem, device, &config);
    ck_assert_msg(sqa_config_space_find(space, &config) != SIZE_MAX, "%s: its default is not valid",
                  family->name);
    for (size_t i = 0; i < DIM_COUNT; i++)
        check_defaults(family, device, dims[i]);
}

START_TEST(defaults_are_members)
{
    for_each_space(check_default, dim_count());
}
END_TEST

/* What `rows` takes by default, and why. */
static const struct {
    size_t device;
    uint32_t queries, block, dim;
    bool masked_f16;
    const char *expected;
} register_tiles[] = {
    {0, 4096, 0, 64, false, "LANES=8,RV=3,"},   /* AVX2 */
    {1, 4096, 0, 64, false, "LANES=16,RV=3,"},  /* AVX-512 */
    {0, 1, 0, 64, false, "LANES=16,RV=1,"},     /* one query: 16 rows, not 24 */
    {1, 1, 0, 64, false, "LANES=16,RV=1,"},     /* and not 48 */
    {1, 1024, 0, 64, false, "LANES=16,RV=3,"},  /* 2 % are not worth another program */
    {0, 4096, 64, 64, false, "LANES=8,RV=4,"},  /* 24 rows do not fill blocks of 64 */
    {1, 4096, 64, 64, false, "LANES=16,RV=4,"}, /* nor do 48 */
    {0, 4096, 48, 64, false, "LANES=8,RV=3,"},  /* but those of 48 */
    {1, 4096, 0, 128, true, "LANES=16,RV=3,MC=4,MD=4,TILES=1,KEYS=192,"}, /* 256 do not fit */
};
enum { REGISTER_TILES = sizeof register_tiles / sizeof *register_tiles };

START_TEST(rows_takes_the_register_tile_that_fits)
{
    const sqa_kernel_family *rows = sqa_family_find(SQA_OPERATION_FORWARD, "rows");
    sqa_problem problem = problem_of(SQA_OPERATION_FORWARD, register_tiles[_i].dim);
    char text[SQA_CONFIG_TEXT];
    sqa_config config;
    problem.of.attention.q_length = problem.of.attention.kv_length = register_tiles[_i].queries;
    if (register_tiles[_i].block) {
        problem.of.attention.mask |= SQA_MASK_BLOCKS;
        problem.of.attention.blocks.query_size = problem.of.attention.blocks.key_size =
            register_tiles[_i].block;
    }
    if (register_tiles[_i].masked_f16) {
        problem.of.attention.mask |= SQA_MASK_PAIR;
        problem.of.attention.dtype = problem.of.attention.kv_dtype = SQA_DTYPE_F16;
    }
    rows->default_config(&problem, &devices[register_tiles[_i].device], &config);
    sqa_config_format(rows, &config, text);
    ck_assert_msg(!strncmp(text, register_tiles[_i].expected, strlen(register_tiles[_i].expected)),
                  "%s instead of %s", text, register_tiles[_i].expected);
}
END_TEST

static void check_texts(const sqa_kernel_family *family, const sqa_problem *problem,
                        const sqa_device *device, const sqa_config_space *space)
{
    (void)problem;
    (void)device;
    for (size_t i = 0; i < space->count; i += 1 + space->count / 50) {
        char text[SQA_CONFIG_TEXT];
        sqa_config again;
        memset(&again, 0, sizeof again);
        sqa_config_format(family, &space->configs[i], text);
        ck_assert_msg(sqa_config_parse(family, text, &again) == SQA_OK, "'%s': %s", text,
                      sqa_last_error());
        ck_assert_msg(sqa_config_equal(&again, &space->configs[i]), "'%s' is another one", text);
    }
}

START_TEST(texts_lead_back)
{
    for_each_space(check_texts, dim_count());
}
END_TEST

START_TEST(wrong_texts)
{
    static const char *const texts[] = {"=",         "NOPE=1",   "NOPE",
                                        ",",         "CHUNK=",   "CHUNK=x",
                                        "CHUNK=16x", "CHUNK=-3", "CHUNK=99999999999999999999",
                                        "CHUNK=16,,"};
    const sqa_kernel_family *naive = sqa_family_find(SQA_OPERATION_FORWARD, "naive");
    sqa_problem problem = problem_of(SQA_OPERATION_FORWARD, 64);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        sqa_config config;
        memset(&config, 0, sizeof config);
        naive->default_config(&problem, &devices[0], &config);
        ck_assert_msg(sqa_config_parse(naive, texts[i], &config) == SQA_INVALID_ARGUMENT,
                      "'%s' was accepted", texts[i]);
        ck_assert_uint_gt(strlen(sqa_last_error()), 0);
    }
}
END_TEST

/* Another value, name or meaning makes another set; nothing else does. */
START_TEST(candidate_sets_are_told_apart)
{
    static const sqa_parameter base[] = {{"A", "", {1, 2}, 2}, {"B", "", {12}, 1}};
    static const sqa_parameter more[] = {{"A", "", {1, 2, 4}, 3}, {"B", "", {12}, 1}};
    static const sqa_parameter moved[] = {{"A", "", {1}, 1}, {"B", "", {2, 12}, 2}};
    static const sqa_parameter renamed[] = {{"A", "", {1, 2}, 2}, {"C", "", {12}, 1}};
    static const sqa_parameter explained[] = {{"A", "size", {1, 2}, 2}, {"B", "", {12}, 1}};
    static const sqa_kernel_family families[] = {
        {.name = "a", .parameters = base, .parameter_count = 2, .space_version = 1},
        {.name = "a", .parameters = base, .parameter_count = 2, .space_version = 2},
        {.name = "a", .parameters = base, .parameter_count = 1, .space_version = 1},
        {.name = "a", .parameters = more, .parameter_count = 2, .space_version = 1},
        {.name = "a", .parameters = moved, .parameter_count = 2, .space_version = 1},
        {.name = "a", .parameters = renamed, .parameter_count = 2, .space_version = 1},
    };
    static const sqa_kernel_family same = {
        .name = "a", .parameters = explained, .parameter_count = 2, .space_version = 1};
    enum { COUNT = sizeof families / sizeof *families };
    char digests[COUNT][SQA_HASH_TEXT], again[SQA_HASH_TEXT];
    for (int i = 0; i < COUNT; i++) {
        sqa_candidates_digest(&families[i], digests[i]);
        ck_assert_uint_eq(strlen(digests[i]), SQA_HASH_TEXT - 1);
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(digests[i], digests[j]);
        ck_assert_int_eq(sqa_candidates_are_current(&families[0], digests[i]), i == 0);
    }
    sqa_candidates_digest(&same, again);
    ck_assert_str_eq(again, digests[0]);
    ck_assert(!sqa_candidates_are_current(&same, ""));
}
END_TEST

START_TEST(the_registry)
{
    const sqa_kernel_family *last = NULL;
    ck_assert_uint_gt(sqa_family_count(), 1);
    for (size_t i = 0; i < sqa_family_count(); i++) {
        const sqa_kernel_family *family = sqa_family_at(i);
        sqa_text names = SQA_TEXT_INIT;
        sqa_family_names(family->operation, &names);
        ck_assert_ptr_eq(sqa_family_find(family->operation, family->name), family);
        ck_assert_ptr_nonnull(strstr(sqa_text_get(&names), family->name));
        sqa_text_free(&names);
        last = family->operation == SQA_OPERATION_FORWARD ? family : last;
        ck_assert_uint_le(family->parameter_count, SQA_MAX_PARAMETERS);
        ck_assert_uint_gt(strlen(family->summary), 0);
    }
    ck_assert_ptr_null(sqa_family_at(sqa_family_count()));
    ck_assert_ptr_null(sqa_family_find(SQA_OPERATION_FORWARD, "none"));
    ck_assert_ptr_null(sqa_family_find(SQA_OPERATION_SELECT_BLOCKS, "naive"));
    ck_assert_str_eq(last->name, "naive");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("configuration space");
    TCase *space = tcase_create("space");
    tcase_add_test(space, members_are_valid_and_in_order);
    tcase_add_test(space, nothing_is_left_out);
    tcase_add_test(space, defaults_are_members);
    tcase_add_loop_test(space, rows_takes_the_register_tile_that_fits, 0, REGISTER_TILES);
    tcase_add_test(space, texts_lead_back);
    tcase_add_test(space, wrong_texts);
    tcase_add_test(space, candidate_sets_are_told_apart);
    tcase_add_test(space, the_registry);
    suite_add_tcase(suite, space);
    return sqa_run_suite(suite);
}
