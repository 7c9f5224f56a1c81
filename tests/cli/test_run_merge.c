/* sqa run --op merge: the right result of parts in files; one line and no output where files do
 * not go together. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "cli/run_inputs.h"
#include "operations/merge/merging.h"
#include "operations/operations.h"
#include "operations/shape.h"
#include "problem/storage.h"
#include "run_suite.h"

#define PARTS                                                                                      \
    "run --op merge --a %1$s/a.npy --a-lse %1$s/a_lse.npy --b %1$s/b.npy --b-lse %1$s/b_lse.npy"
#define OUT " --out %1$s/o.npy --lse %1$s/lse.npy"

static const char *const shapes[] = {
    "op=merge,b=2,heads=3,n=5,d=7",
    "op=merge,heads=2,n=9,d=16,dtype=f16",
    "op=merge,b=0,heads=2,n=9,d=16",
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void make_inputs(run_inputs *in, const char *shape)
{
    sqa_problem problem;
    ck_assert_msg(sqa_problem_parse(shape, &problem) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(sqa_host_tensors_create(&in->tensors, &problem, 7, false), SQA_OK);
    const sqa_merging *m = &problem.of.merging;
    const uint64_t dims[4] = {m->batch, m->heads, m->length, m->dim};
    for (uint32_t slot = 0; slot < SQA_SLOT_MERGED; slot++) {
        const bool lse = slot == SQA_SLOT_PART_A_LSE || slot == SQA_SLOT_PART_B_LSE;
        const uint32_t rank = lse ? 3 : 4;
        const float *data = sqa_host_tensor_view(&in->tensors.of[slot]);
        uint16_t stored[1024] = {0};
        char name[32];
        size_t count = 1;
        for (uint32_t i = 0; i < rank; i++)
            count *= (size_t)dims[i];
        ck_assert_uint_le(count, 1024);
        snprintf(name, sizeof name, "%s.npy", sqa_tensor_name(&problem, slot));
        if (m->dtype == SQA_DTYPE_F16 && !lse) {
            sqa_storage_encode(SQA_DTYPE_F16, data, stored, count);
            save_array(name, "<f2", rank, dims, stored, sizeof *stored);
        } else {
            save_array(name, "<f4", rank, dims, data, sizeof *data);
        }
    }
}

START_TEST(right_parts)
{
    run_inputs in;
    make_inputs(&in, shapes[_i]);
    const program_result *result = run_with_folder(PARTS OUT);
    ck_assert_msg(result->code == 0, "%s: %.600s", shapes[_i], result->err);
    ck_assert_str_eq(result->out, "");
    check_judged(&in);
    free_run_inputs(&in);
}
END_TEST

START_TEST(refused)
{
    static const struct {
        const char *command, *message;
    } cases[] = {
        {"run --op merge --a %1$s/a.npy --out %1$s/o.npy", "--a-lse FILE.npy is missing"},
        {PARTS, "--out FILE.npy is missing"},
        {"run --op merge --a %1$s/a.npy --a-lse %1$s/a_lse.npy --b %1$s/b.npy --b-lse "
         "%1$s/b.npy" OUT,
         "expected 3 dimensions (B, H, N)"},
        {"run --op merge --a %1$s/a.npy --a-lse %1$s/a_lse.npy --b %1$s/x.npy --b-lse "
         "%1$s/b_lse.npy" OUT,
         "shape (2, 3, 5, 8); expected (B, H, N, D) of (2, 3, 5, 7)"},
        {PARTS " --out %1$s/a.npy", "a.npy"},
    };
    run_inputs in;
    const uint64_t other[4] = {2, 3, 5, 8};
    make_inputs(&in, shapes[0]);
    save_array("x.npy", "<f4", 4, other, NULL, sizeof(float));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const program_result *result = run_with_folder(cases[i].command);
        ck_assert_int_ne(result->code, 0);
        ck_assert_msg(strstr(result->err, cases[i].message) != NULL, "%.600s", result->err);
        ck_assert_str_eq(result->out, "");
    }
    free_run_inputs(&in);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("run_merge");
    TCase *tests = tcase_create("run_merge");
    tcase_set_timeout(tests, 300);
    tcase_add_checked_fixture(tests, work_folder_set_up, work_folder_tear_down);
    tcase_add_loop_test(tests, right_parts, 0, SHAPES);
    tcase_add_test(tests, refused);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
