/* Products of matrices: which sizes they have, transposed and in batches. */
#include "cli/run/forms.h"

#include "base/status.h"
#include "operations/matmul/slots.h"

enum { A, B, B2, BIAS, BIAS2, RESIDUAL, C };
enum { TA, TB };

static void sizes(const sqa_form_run *run, sqa_text *shape)
{
    const sqa_npy *a = &run->files[A], *b = &run->files[B];
    const uint64_t *a_shape = a->shape + (a->rank - 2), *b_shape = b->shape + (b->rank - 2);
    const bool ta = run->flags[TA], tb = run->flags[TB];
    sqa_text_format(shape, ",b=%llu,m=%llu,n=%llu,k=%llu",
                    a->rank == 2 ? 1ull : (unsigned long long)a->shape[0],
                    (unsigned long long)a_shape[ta], (unsigned long long)b_shape[!tb],
                    (unsigned long long)a_shape[!ta]);
    if (b->rank == 2) /* one for all of a batch */
        sqa_text_format(shape, ",sb=0:%llu", (unsigned long long)b_shape[1]);
}

static sqa_status check(const sqa_form_run *run)
{
    if (run->paths[B2] && !run->paths[BIAS2] != !run->paths[BIAS])
        return sqa_fail(SQA_INVALID_ARGUMENT, "with --b2, --bias and --bias2 go together");
    return SQA_OK;
}

#define MATRIX .axes = "bnd", .least_rank = 2
#define VECTOR .axes = "d", .least_rank = 1, .dimensions = "(N)", .is_optional = true

const sqa_form sqa_form_matmul = {
    .name = "matmul",
    .summary =
        "Matrix products of NumPy files: C = act(alpha op(A) op(B) + bias).\n"
        "A is (M, K) or (batch, M, K), with --ta (K, M); B is (K, N), with --tb (N, K), one for\n"
        "all of a batch or as many; float32, float16 or float64 (rounded to float32). C is (M, N)\n"
        "or (batch, M, N).\n"
        "With --b2 it is act(A B + bias) * (A B2 + bias2); --residual is added at the end.",
    .files =
        {
            [A] = {"a", "left matrix, .npy", SQA_SLOT_MATRIX_A, MATRIX,
                   .dimensions = "(M, K) or (batch, M, K)"},
            [B] = {"b", "right matrix, .npy", SQA_SLOT_MATRIX_B, MATRIX,
                   .dimensions = "(K, N) or (batch, K, N)"},
            [B2] = {"b2", "like B: the other factor of a gate, .npy", SQA_SLOT_MATRIX_B2, MATRIX,
                    .dimensions = "the shape of B", .is_optional = true, .key = "gated"},
            [BIAS] = {"bias", "(N), added to each row, .npy", SQA_SLOT_COLUMN_BIAS, VECTOR,
                      .key = "bias"},
            [BIAS2] = {"bias2", "(N), likewise with --b2, .npy", SQA_SLOT_COLUMN_BIAS2, VECTOR,
                       .needs = "b2"},
            [RESIDUAL] = {"residual", "like C: added at the end, .npy", SQA_SLOT_RESIDUAL, MATRIX,
                          .dimensions = "the shape of C", .is_optional = true, .key = "residual"},
            [C] = {"out", "where C goes, .npy", SQA_SLOT_MATRIX_C, MATRIX, .is_written = true},
        },
    .keys =
        {
            [TA] = SQA_FORM_KEY("ta"),
            [TB] = SQA_FORM_KEY("tb"),
            SQA_FORM_KEY("alpha"),
            SQA_FORM_ACTIVATION,
        },
    .sizes = sizes,
    .check = check,
};
