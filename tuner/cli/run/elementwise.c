/* See forms.h. */
#include "cli/run/forms.h"

#include "operations/activation/slots.h"
#include "operations/merge/merging.h"
#include "operations/norm/slots.h"
#include "operations/rope/slots.h"

#define FILES_ARE "float32, float16 or float64 (rounded to float32)"

/* Rows of heads; a model's rows are those of one head, without a batch or with one. */
#define ROWS .axes = "bhnd", .least_rank = 2, .dimensions = "(N, D), (H, N, D) or (B, H, N, D)"
#define COLUMNS .axes = "d", .least_rank = 1, .dimensions = "(D)", .is_optional = true
#define MATRIX .axes = "bnd", .least_rank = 2, .dimensions = "(N, D) or (B, N, D)"
#define WRITTEN .is_written = true
#define GRADIENT .is_written = true, .is_optional = true

enum { ROPE_X, ROPE_POSITIONS };

/* One row of positions is that of every sequence. */
static void rope_sizes(const sqa_form_run *run, sqa_text *shape)
{
    const sqa_npy *positions = &run->files[ROPE_POSITIONS];
    sqa_form_sizes(run, shape);
    if (run->paths[ROPE_POSITIONS])
        sqa_text_format(shape, ",positions=%llu",
                        positions->rank == 1 ? 0ull : (unsigned long long)positions->shape[1]);
}

const sqa_form sqa_form_rope = {
    .name = "rope",
    .summary =
        "Rotary position embedding of a NumPy file: pairs of each row's elements turned by its\n"
        "position, Y = RoPE(X). X and Y are (N, D), (H, N, D) or (B, H, N, D),\n" FILES_ARE ".\n"
        "Positions are --offset + row, or those of --positions: (N) or (B, N), int32 or int64.\n"
        "--inverse turns back, which is also how gradients go; --hadamard spreads outliers.\n"
        "The rules are those of include/sqa_cl/rope.h.",
    .files =
        {
            [ROPE_X] = {"x", "X, .npy", SQA_SLOT_ROPE_X, ROWS},
            [ROPE_POSITIONS] = {"positions", "position of each row, .npy", SQA_SLOT_POSITIONS,
                                .axes = "bd", .least_rank = 1, .dimensions = "(N) or (B, N)",
                                .kind = SQA_NPY_INTEGERS, .is_optional = true},
            {"out", "where Y goes, .npy", SQA_SLOT_ROPE_Y, ROWS, WRITTEN},
        },
    .keys = {SQA_FORM_KEY("pairs"), SQA_FORM_KEY("rotary"), SQA_FORM_KEY("base"),
             SQA_FORM_KEY("offset"), SQA_FORM_KEY("inverse"), SQA_FORM_KEY("hadamard")},
    .sizes = rope_sizes,
};

const sqa_form sqa_form_norm = {
    .name = "norm",
    .summary =
        "Rows of a NumPy file normalised: Y = X / sqrt(mean(X^2) + eps) * weight, with --kind\n"
        "layer (X - mean) / sqrt(var + eps) * weight + bias. X and Y are (N, D), (H, N, D) or\n"
        "(B, H, N, D), weight and bias (D),\n" FILES_ARE ".\n"
        "The gradients are --op norm_backward. The rules are those of include/sqa_cl/norm.h.",
    .files =
        {
            {"x", "X, .npy", SQA_SLOT_NORM_X, ROWS},
            {"weight", "a factor per column, .npy", SQA_SLOT_NORM_WEIGHT, COLUMNS, .key = "weight"},
            {"bias", "of layer: a number per column is added, .npy", SQA_SLOT_NORM_BIAS, COLUMNS,
             .key = "bias"},
            {"out", "where Y goes, .npy", SQA_SLOT_NORM_Y, ROWS, WRITTEN},
        },
    .keys = {SQA_FORM_KEY("kind"), SQA_FORM_KEY("eps")},
};

const sqa_form sqa_form_norm_backward = {
    .name = "norm_backward",
    .summary =
        "Gradients of `sqa run --op norm` from X, weight and dY, shaped as what each is of:\n"
        "X and dY (N, D), (H, N, D) or (B, H, N, D), weight and bias (D),\n" FILES_ARE ".",
    .files =
        {
            {"x", "X, .npy", SQA_SLOT_NORM_X, ROWS},
            {"dy", "gradient of Y, .npy", SQA_SLOT_NORM_DY, ROWS},
            {"weight", "a factor per column, .npy", SQA_SLOT_NORM_WEIGHT, COLUMNS, .key = "weight"},
            {"dx", "where the gradient of X goes, .npy", SQA_SLOT_NORM_DX, ROWS, GRADIENT,
             .part = "x"},
            {"dweight", "of weight", SQA_SLOT_NORM_DWEIGHT, COLUMNS, .is_written = true,
             .part = "weight", .needs = "weight"},
            {"dbias", "of bias, with --kind layer", SQA_SLOT_NORM_DBIAS, COLUMNS, WRITTEN,
             .part = "bias", .key = "bias"},
        },
    .keys = {SQA_FORM_KEY("kind"), SQA_FORM_KEY("eps")},
};

const sqa_form sqa_form_activation = {
    .name = "activation",
    .summary =
        "An activation of a NumPy file, element by element: Y = act(A) + residual, or, with --b,\n"
        "act(A) * B + residual. All are (N, D) or (B, N, D), " FILES_ARE ".\n"
        "The gradients are --op activation_backward.",
    .files =
        {
            {"a", "A, .npy", SQA_SLOT_ACTIVATION_A, MATRIX},
            {"b", "the other factor of a gate, .npy", SQA_SLOT_ACTIVATION_B, MATRIX,
             .is_optional = true, .key = "gated"},
            {"residual", "added at the end, .npy", SQA_SLOT_ACTIVATION_RESIDUAL, MATRIX,
             .is_optional = true, .key = "residual"},
            {"out", "where Y goes, .npy", SQA_SLOT_ACTIVATION_Y, MATRIX, WRITTEN},
        },
    .keys = {SQA_FORM_ACTIVATION},
};

const sqa_form sqa_form_activation_backward = {
    .name = "activation_backward",
    .summary =
        "Gradients of `sqa run --op activation` from A, with a gate B, and dY. All are (N, D)\n"
        "or (B, N, D), " FILES_ARE ".",
    .files =
        {
            {"a", "A, .npy", SQA_SLOT_ACTIVATION_A, MATRIX},
            {"b", "the other factor of a gate, .npy", SQA_SLOT_ACTIVATION_B, MATRIX,
             .is_optional = true, .key = "gated"},
            {"dy", "gradient of Y, .npy", SQA_SLOT_ACTIVATION_DY, MATRIX},
            {"da", "where the gradient of A goes, .npy", SQA_SLOT_ACTIVATION_DA, MATRIX, GRADIENT,
             .part = "a"},
            {"db", "of B", SQA_SLOT_ACTIVATION_DB, MATRIX, GRADIENT, .part = "b", .needs = "b"},
        },
    .keys = {SQA_FORM_ACTIVATION},
};

#define PART .axes = "bhnd", .least_rank = 4, .dimensions = "(B, H, N, D)"
#define PART_LSE .axes = "bhn", .least_rank = 3, .dimensions = "(B, H, N)", .is_f32 = true

const sqa_form sqa_form_merge = {
    .name = "merge",
    .summary =
        "Two parts of attention into one: what the same queries have from two sets of keys, as O\n"
        "and log-sum-exp of each, is O and log-sum-exp over all of these keys.\n"
        "O is (B, H, N, D), " FILES_ARE ", the log-sum-exp\n"
        "(B, H, N); `sqa run --lse` writes both.",
    .files =
        {
            {"a", "O of the first part, .npy", SQA_SLOT_PART_A, PART},
            {"a-lse", "its log-sum-exp, .npy", SQA_SLOT_PART_A_LSE, PART_LSE},
            {"b", "O of the second part, .npy", SQA_SLOT_PART_B, PART},
            {"b-lse", "its log-sum-exp, .npy", SQA_SLOT_PART_B_LSE, PART_LSE},
            {"out", "where O goes, .npy", SQA_SLOT_MERGED, PART, WRITTEN},
            {"lse", "where the log-sum-exp goes, .npy", SQA_SLOT_MERGED_LSE, PART_LSE, GRADIENT},
        },
};
