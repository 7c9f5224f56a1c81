/* What every operation has to be: its entry is walked by the tables in it, so that one added
 * to the registry is held to all of this without a word here. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/registry.h"
#include "operations/operations.h"
#include "operations/problem_class.h"
#include "operations/recipe.h"
#include "operations/shape.h"
#include "operations/tensors.h"
#include "run_suite.h"
#include "unit/random_shape.h"

static const sqa_operation_entry *entry_at(int index)
{
    return sqa_operation_at((size_t)index);
}

/* Random problems of an operation, `wanted` of them, a tenth where a test is to be tiny:
 * `check` sees each. How many there were. */
typedef void (*problem_check)(const sqa_problem *problem, const char *text);

static int for_random_problems(const sqa_operation_entry *entry, int wanted, problem_check check)
{
    sqa_random random = {1};
    int made = 0;
    const char *size = getenv("SQA_TEST_SIZE");
    if (size && !strcmp(size, "tiny"))
        wanted /= 10;
    for (int tries = 0; made < wanted; tries++) {
        char text[SQA_SHAPE_TEXT];
        sqa_problem problem;
        random_shape(entry, &random, text);
        ck_assert_msg(tries < 100 * wanted, "%s: of %d random shapes only %d are any, not '%s': %s",
                      entry->name, tries, made, text, sqa_last_error());
        if (sqa_problem_parse(text, &problem) != SQA_OK)
            continue;
        check(&problem, text);
        made++;
    }
    return made;
}

START_TEST(names_lead_back)
{
    const sqa_operation_entry *entry = entry_at(_i);
    sqa_operation operation = (sqa_operation)-1;
    sqa_text names = SQA_TEXT_INIT;
    ck_assert_int_eq(entry->id, _i);
    ck_assert(entry->name[0] && entry->summary[0]);
    ck_assert_ptr_eq(sqa_operation_find(entry->name), entry);
    ck_assert_str_eq(sqa_operation_name(entry->id), entry->name);
    ck_assert(sqa_operation_from_name(entry->name, &operation));
    ck_assert_int_eq(operation, entry->id);
    sqa_operation_names(&names);
    ck_assert_ptr_nonnull(strstr(sqa_text_get(&names), entry->name));
    sqa_text_free(&names);
}
END_TEST

START_TEST(other_names_lead_nowhere)
{
    sqa_operation operation = SQA_OPERATION_SELECT_BLOCKS;
    ck_assert_ptr_null(sqa_operation_find("backwards"));
    ck_assert(!sqa_operation_from_name("", &operation));
    ck_assert_int_eq(operation, SQA_OPERATION_SELECT_BLOCKS);
    ck_assert_ptr_null(sqa_operation_name((sqa_operation)-1));
    ck_assert_ptr_null(sqa_operation_at(sqa_operation_count()));
}
END_TEST

static void check_round_trip(const sqa_problem *problem, const char *text)
{
    sqa_problem again;
    char written[SQA_SHAPE_TEXT], twice[SQA_SHAPE_TEXT];
    sqa_problem_format(problem, written, sizeof written);
    ck_assert_msg(sqa_problem_parse(written, &again) == SQA_OK, "'%s': %s", written,
                  sqa_last_error());
    ck_assert_msg(!memcmp(problem, &again, sizeof again), "'%s' is another problem than '%s'",
                  written, text);
    sqa_problem_format(&again, twice, sizeof twice);
    ck_assert_str_eq(twice, written);
}

START_TEST(shapes_lead_back)
{
    for_random_problems(entry_at(_i), 5000, check_round_trip);
}
END_TEST

static void refuse(const sqa_operation_entry *entry, const sqa_shape_field *field,
                   const char *value)
{
    sqa_problem problem;
    char text[SQA_SHAPE_TEXT], begin[64];
    shape_with(entry, field, value, text);
    const int named = snprintf(begin, sizeof begin, "shape: %s", field->name);
    ck_assert_msg(sqa_problem_parse(text, &problem) == SQA_INVALID_ARGUMENT, "'%s' is a shape",
                  text);
    const char *error = sqa_last_error();
    ck_assert_msg(!strncmp(error, begin, (size_t)named) && strchr(" :", error[named]),
                  "'%s': '%s' does not name %s", text, error, field->name);
}

static void refuse_counts(const sqa_operation_entry *entry, const sqa_shape_field *field)
{
    char over[32];
    snprintf(over, sizeof over, "%llu", (unsigned long long)field->most + 1);
    refuse(entry, field, over);
    refuse(entry, field, "-3");
    refuse(entry, field, "7.0");
    if (field->least > 0)
        refuse(entry, field, "0");
}

/* Each key with values of no sense, among others that are right. */
START_TEST(nonsense_is_refused_by_key)
{
    const sqa_operation_entry *entry = entry_at(_i);
    for (const sqa_shape_field *const *table = entry->fields; *table; table++)
        for (const sqa_shape_field *field = *table; field->name; field++) {
            refuse(entry, field, "nonsense");
            refuse(entry, field, "--3");
            refuse(entry, field, "1e99999999");
            if (field->kind == SQA_FIELD_COUNT)
                refuse_counts(entry, field);
        }
}
END_TEST

/* Every one needed alone is refused by what is said of it. */
START_TEST(needs_are_told)
{
    const sqa_operation_entry *entry = entry_at(_i);
    char text[64];
    sqa_problem problem;
    snprintf(text, sizeof text, "op=%s,b=1", entry->name);
    ck_assert_int_eq(sqa_problem_parse(text, &problem), SQA_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(entry->needs[0].message);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), entry->needs[0].message));
    snprintf(text, sizeof text, "op=%s,key=1", entry->name);
    ck_assert_int_eq(sqa_problem_parse(text, &problem), SQA_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "'key' is not a key; expected "));
}
END_TEST

START_TEST(slots_are_members_of_their_own)
{
    const sqa_operation_entry *entry = entry_at(_i);
    ck_assert_uint_le(entry->slot_count, SQA_MAX_TENSORS);
    uint32_t outputs = 0;
    for (uint32_t i = 0; i < entry->slot_count; i++) {
        const sqa_tensor_slot own = sqa_slot_of(entry, i), *slot = &own;
        if (slot->use == SQA_SLOT_UNUSED)
            continue;
        ck_assert(slot->name && slot->name[0]);
        ck_assert_uint_ge(slot->member, sizeof(uint32_t)); /* behind the version */
        /* Members that newer versions have added are behind the workspace. */
        ck_assert(slot->member + sizeof(sqa_tensor) <= entry->tensors.workspace ||
                  (entry->tensors.version > 1 &&
                   slot->member >= entry->tensors.workspace + sizeof(cl_mem)));
        ck_assert_uint_eq(slot->member % _Alignof(sqa_tensor), 0);
        ck_assert(slot->use == SQA_SLOT_OUTPUT || slot->fill || slot->low < slot->high);
        outputs += slot->use == SQA_SLOT_OUTPUT;
        for (uint32_t j = 0; j < i; j++)
            if (sqa_slot_of(entry, j).use != SQA_SLOT_UNUSED) {
                ck_assert_str_ne(slot->name, sqa_slot_of(entry, j).name);
                ck_assert_uint_ne(slot->member, sqa_slot_of(entry, j).member);
            }
    }
    ck_assert_uint_gt(outputs, 0);
}
END_TEST

/* The groups that judge a slot. */
static uint32_t judges_of(const sqa_operation_entry *entry, uint32_t slot, bool *by_numbers)
{
    uint32_t count = 0;
    for (const sqa_row_group *group = entry->groups; group->slot_count; group++)
        for (uint32_t i = 0; i < group->slot_count; i++)
            if (group->slots[i] == slot) {
                *by_numbers = group->expect != NULL;
                count++;
            }
    return count;
}

START_TEST(every_output_is_judged_once)
{
    const sqa_operation_entry *entry = entry_at(_i);
    bool by_numbers;
    for (uint32_t slot = 0; slot < entry->slot_count; slot++)
        ck_assert_uint_eq(judges_of(entry, slot, &by_numbers),
                          sqa_slot_of(entry, slot).use == SQA_SLOT_OUTPUT);
    for (const sqa_row_group *group = entry->groups; group->slot_count; group++) {
        ck_assert((group->expect != NULL) != (group->fault != NULL));
        ck_assert(group->count && group->place && group->samples > 0);
        ck_assert_uint_le(group->slot_count, SQA_MAX_JUDGED);
    }
}
END_TEST

static void check_tensors(const sqa_problem *problem, const char *text)
{
    const sqa_operation_entry *entry = sqa_operation_of(problem);
    for (uint32_t slot = 0; slot < entry->slot_count; slot++) {
        const sqa_tolerance *tolerance;
        sqa_tensor_shape shape;
        bool by_numbers = false;
        if (!sqa_tensor_shape_of(problem, slot, &shape))
            continue;
        ck_assert_int_lt(shape.element, SQA_ELEMENT_COUNT);
        judges_of(entry, slot, &by_numbers);
        ck_assert_msg(!by_numbers || sqa_operation_tolerance(entry, problem, slot, shape.element,
                                                             &tolerance) == SQA_OK,
                      "%s: %s", text, sqa_last_error());
    }
}

/* In whatever type it is stored. */
START_TEST(outputs_have_tolerances)
{
    const sqa_tolerance *tolerance;
    const sqa_operation_entry *entry = entry_at(_i);
    uint32_t input = 0;
    for_random_problems(entry, 1000, check_tensors);
    while (sqa_slot_of(entry, input).use != SQA_SLOT_INPUT)
        input++;
    ck_assert_int_eq(sqa_operation_tolerance(entry, NULL, input, SQA_ELEMENT_F32, &tolerance),
                     SQA_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), sqa_slot_of(entry, input).name));
}
END_TEST

static void check_work(const sqa_problem *problem, const char *text)
{
    const double flop = sqa_problem_flop(problem), bytes = sqa_problem_bytes(problem);
    ck_assert_msg(isfinite(flop) && flop >= 0.0, "%s: %g flop", text, flop);
    ck_assert_msg(isfinite(bytes) && bytes >= 0.0, "%s: %g bytes", text, bytes);
    ck_assert_msg(bytes > 0.0 || sqa_operation_of(problem)->is_nothing(problem), "%s: no bytes",
                  text);
}

START_TEST(work_is_finite)
{
    for_random_problems(entry_at(_i), 1000, check_work);
}
END_TEST

/* A CPU and a GPU. */
static const sqa_device devices[] = {
    {.strings = {.compute_units = 2, .type = SQA_DEVICE_CPU},
     .limits = {.max_work_group_size = 4096,
                .max_work_item_sizes = {4096, 4096, 4096},
                .local_memory_bytes = 512u << 10,
                .local_memory_is_global = true,
                .vector_width_float = 8}},
    {.strings = {.compute_units = 64, .type = SQA_DEVICE_GPU},
     .limits = {.max_work_group_size = 1024,
                .max_work_item_sizes = {1024, 1024, 64},
                .local_memory_bytes = 48u << 10,
                .vector_width_float = 1,
                .subgroup_sizes = {8, 16, 32},
                .subgroup_size_on_request = true}},
};

/* Programs of one family that could be compared. */
static uint64_t programs_compared;

static void compare_programs(const sqa_kernel_family *family, const sqa_device *device,
                             const sqa_problem *problem, const sqa_problem *relative,
                             const char *text)
{
    const char *why = "";
    sqa_config config;
    sqa_text source = SQA_TEXT_INIT, again = SQA_TEXT_INIT;
    memset(&config, 0, sizeof config);
    if (!family->supports(problem, device, &why) || !family->supports(relative, device, &why))
        return;
    family->default_config(problem, device, &config);
    family->source(&config, problem, device, &source);
    family->source(&config, relative, device, &again);
    ck_assert_msg(!strcmp(sqa_text_get(&source), sqa_text_get(&again)),
                  "%s: a relative has another program of %s", text, family->name);
    programs_compared++;
    sqa_text_free(&source);
    sqa_text_free(&again);
}

static void check_programs(const sqa_problem *problem, const sqa_problem *relative,
                           const char *text)
{
    for (size_t f = 0; f < sqa_family_count(); f++)
        for (size_t d = 0; d < sizeof devices / sizeof *devices; d++)
            if (sqa_family_at(f)->operation == problem->operation)
                compare_programs(sqa_family_at(f), &devices[d], problem, relative, text);
}

/* At most so many elements of a tensor: 300 rows of 100 heads, each of 512. */
#define SMALL (300 * 100 * 512)

static void check_relative(const sqa_problem *problem, sqa_relative which, const char *text)
{
    const sqa_operation_entry *entry = sqa_operation_of(problem);
    sqa_problem relative;
    entry->relative(problem, which, &relative);
    ck_assert_int_eq(relative.operation, problem->operation);
    for (uint32_t slot = 0; slot < entry->slot_count; slot++) {
        sqa_tensor_shape shape, own;
        ck_assert_int_eq(sqa_tensor_shape_of(&relative, slot, &shape),
                         sqa_tensor_shape_of(problem, slot, &own));
        ck_assert_int_eq(shape.element, own.element);
        ck_assert_msg(sqa_tensor_extent(&shape) <= SMALL, "%s: relative %d, %s", text, (int)which,
                      sqa_slot_of(entry, slot).name);
    }
    check_programs(problem, &relative, text);
}

static void check_relatives(const sqa_problem *problem, const char *text)
{
    for (sqa_relative which = SQA_RELATIVE_SMALL; which < SQA_RELATIVE_COUNT; which++)
        check_relative(problem, which, text);
}

/* Of a recipe, those of its stages: it has no program itself. */
static void check_stages(const sqa_problem *problem, const char *text)
{
    sqa_recipe *recipe = NULL;
    ck_assert_msg(sqa_recipe_of(problem, &recipe) == SQA_OK, "%s: %s", text, sqa_last_error());
    ck_assert_uint_gt(recipe->stage_count, 0);
    for (uint32_t i = 0; i < recipe->stage_count; i++) {
        ck_assert(!sqa_operation_of(&recipe->stages[i].problem)->recipe);
        check_relatives(&recipe->stages[i].problem, text);
    }
    sqa_recipe_free(recipe);
}

START_TEST(relatives_are_small_and_of_one_program)
{
    const sqa_operation_entry *entry = entry_at(_i);
    ck_assert((entry->relative != NULL) != (entry->recipe != NULL));
    programs_compared = 0;
    const int made =
        for_random_problems(entry, 300, entry->recipe ? check_stages : check_relatives);
    ck_assert_uint_gt(programs_compared, (uint32_t)made);
}
END_TEST

static void check_class(const sqa_problem *problem, const char *text)
{
    const sqa_problem_class own = sqa_problem_class_of(problem);
    sqa_problem_class again;
    char key[SQA_CLASS_KEY_TEXT], twice[SQA_CLASS_KEY_TEXT];
    sqa_problem_class_format(&own, key);
    ck_assert_msg(sqa_problem_class_parse(problem->operation, key, &again), "%s: '%s'", text, key);
    ck_assert_msg(!memcmp(&own, &again, sizeof own) && sqa_problem_class_equal(&own, &again),
                  "%s: '%s' is another class", text, key);
    sqa_problem_class_format(&again, twice);
    ck_assert_str_eq(key, twice);
    key[strlen(key) - 1] = '\0';
    again = own;
    ck_assert(!sqa_problem_class_parse(problem->operation, key, &again) ||
              !sqa_problem_class_equal(&own, &again));
}

START_TEST(class_keys_lead_back)
{
    for_random_problems(entry_at(_i), 1000, check_class);
}
END_TEST

/* Keys that are in people's databases must stay what they are: SHAPE KEY a line. These are
 * also problems of some size, whose work is known to be some. */
START_TEST(class_keys_are_stable)
{
    char line[2048], shape[1024], expected[1024], key[SQA_CLASS_KEY_TEXT];
    uint32_t lines[32] = {0};
    FILE *file = fopen(SQA_TEST_SOURCE "/unit/class_keys.txt", "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file)) {
        sqa_problem problem;
        if (line[0] == '#')
            continue;
        ck_assert_int_eq(sscanf(line, "%1023s %1023s", shape, expected), 2);
        ck_assert_msg(sqa_problem_parse(shape, &problem) == SQA_OK, "%s", sqa_last_error());
        const sqa_problem_class own = sqa_problem_class_of(&problem);
        sqa_problem_class_format(&own, key);
        ck_assert_msg(!strcmp(key, expected), "%s: '%s' was '%s'", shape, key, expected);
        ck_assert_double_gt(sqa_problem_flop(&problem), 0.0);
        ck_assert_double_gt(sqa_problem_bytes(&problem), 0.0);
        lines[problem.operation]++;
    }
    fclose(file);
    for (size_t i = 0; i < sqa_operation_count(); i++)
        ck_assert_uint_ge(lines[i], 12);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations");
    TCase *entries = tcase_create("entries");
    const int count = (int)sqa_operation_count();
    tcase_set_timeout(entries, 120);
    tcase_add_loop_test(entries, names_lead_back, 0, count);
    tcase_add_test(entries, other_names_lead_nowhere);
    tcase_add_loop_test(entries, shapes_lead_back, 0, count);
    tcase_add_loop_test(entries, nonsense_is_refused_by_key, 0, count);
    tcase_add_loop_test(entries, needs_are_told, 0, count);
    tcase_add_loop_test(entries, slots_are_members_of_their_own, 0, count);
    tcase_add_loop_test(entries, every_output_is_judged_once, 0, count);
    tcase_add_loop_test(entries, outputs_have_tolerances, 0, count);
    tcase_add_loop_test(entries, work_is_finite, 0, count);
    tcase_add_loop_test(entries, relatives_are_small_and_of_one_program, 0, count);
    tcase_add_loop_test(entries, class_keys_lead_back, 0, count);
    tcase_add_test(entries, class_keys_are_stable);
    suite_add_tcase(suite, entries);
    return sqa_run_suite(suite);
}
