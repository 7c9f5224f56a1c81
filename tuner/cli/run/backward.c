/* See backward.h. A row per tensor says whose shape it has; the calls are host_call.c's. */
#include "cli/run/backward.h"

#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "cli/run/host_call.h"
#include "operations/backward/fields.h"
#include "runtime/plan.h"

/* Whose shape a file has; DIMS of O or LSE, which need no file themselves. */
typedef enum shape_of {
    LIKE_O,
    LIKE_LSE,
    LIKE_Q,
    LIKE_K,
    LIKE_V,
    LIKE_BIAS,
    LIKE_SINKS,
    LIKE_SLOPES
} shape_of;

static const struct {
    uint32_t slot;
    const char *name, *help; /* of the option */
    shape_of shape;
    uint32_t gradient; /* an sqa_gradient; 0: an input */
} rows[] = {
    {SQA_SLOT_DOUT, "--dout", "--op backward: gradient of the output, shaped like it, .npy", LIKE_O,
     0},
    {SQA_SLOT_O, "--o", "and with --lse, what the forward pass gave (it is run again)", LIKE_O, 0},
    {SQA_SLOT_DQ, "--dq", "where the gradient of the queries goes, .npy", LIKE_Q, SQA_GRADIENT_Q},
    {SQA_SLOT_DK, "--dk", "likewise of the keys", LIKE_K, SQA_GRADIENT_K},
    {SQA_SLOT_DV, "--dv", "likewise of the values", LIKE_V, SQA_GRADIENT_V},
    {SQA_SLOT_DBIAS, "--dbias", "likewise of --bias", LIKE_BIAS, SQA_GRADIENT_BIAS},
    {SQA_SLOT_DSINKS, "--dsinks", "likewise of --sinks", LIKE_SINKS, SQA_GRADIENT_SINKS},
    {SQA_SLOT_DSLOPES, "--dslopes", "likewise of the slopes of --alibi", LIKE_SLOPES,
     SQA_GRADIENT_SLOPES},
    {SQA_SLOT_LSE, "--lse", NULL, LIKE_LSE, 0}, /* an option of the forward pass, too */
};
enum { ROWS = sizeof rows / sizeof rows[0] };
_Static_assert((int)ROWS == (int)SQA_RUN_BACKWARD_FILES, "every file has a row");

void sqa_run_backward_init(sqa_run_backward *backward)
{
    memset(backward, 0, sizeof *backward);
    for (uint32_t slot = 0; slot < SQA_BACKWARD_SLOTS; slot++)
        backward->outputs[slot] = (sqa_output)SQA_OUTPUT_INIT;
}

void sqa_run_backward_options(sqa_run_backward *backward, sqa_option out[SQA_RUN_BACKWARD_OPTIONS])
{
    for (size_t i = 0; i < SQA_RUN_BACKWARD_OPTIONS; i++)
        out[i] = (sqa_option){rows[i].name + 2, "FILE", rows[i].help,
                              .text = &backward->paths[rows[i].slot]};
}

const char *sqa_run_backward_given(const sqa_run_backward *backward)
{
    for (size_t i = 0; i < SQA_RUN_BACKWARD_OPTIONS; i++)
        if (backward->paths[rows[i].slot])
            return rows[i].name;
    return NULL;
}

void sqa_run_backward_name(const sqa_run_backward *backward,
                           sqa_command_file out[SQA_RUN_BACKWARD_FILES])
{
    for (size_t i = 0; i < ROWS; i++)
        out[i] = (sqa_command_file){rows[i].name, backward->paths[rows[i].slot],
                                    rows[i].gradient ? SQA_FILE_WRITTEN : SQA_FILE_READ};
}

/* The shape that a tensor has to have, as a tensor without elements. */
static sqa_npy model_of(shape_of shape, const sqa_tensor_files *inputs,
                        const sqa_run_pattern *pattern, const sqa_attention_desc *desc)
{
    const bool ragged = desc->ragged.present;
    const uint32_t heads = desc->q_heads > desc->kv_heads ? desc->q_heads : desc->kv_heads;
    sqa_npy model = {.rank = shape == LIKE_O ? 4 : 3,
                     .shape = {ragged ? 1 : desc->batch, heads,
                               ragged ? desc->ragged.q_total : desc->q_length, desc->value_dim}};
    switch (shape) {
    case LIKE_O:
    case LIKE_LSE: break;
    case LIKE_Q: model = inputs->q; break;
    case LIKE_K: model = inputs->k; break;
    case LIKE_V: model = inputs->v; break;
    case LIKE_BIAS: model = pattern->files[SQA_SLOT_BIAS]; break;
    case LIKE_SINKS: model = pattern->files[SQA_SLOT_SINKS]; break;
    case LIKE_SLOPES: model = pattern->files[SQA_SLOT_SLOPES]; break;
    }
    model.count = 1;
    for (uint32_t i = 0; i < model.rank; i++)
        model.count *= (size_t)model.shape[i];
    model.memory = NULL;
    return model;
}

static bool same_shape(const sqa_npy *a, const sqa_npy *b)
{
    return a->rank == b->rank && !memcmp(a->shape, b->shape, a->rank * sizeof a->shape[0]);
}

static sqa_status read_input(sqa_npy *out, const char *name, const char *path, const sqa_npy *model)
{
    const sqa_npy_wish wish = {SQA_NPY_FLOATS, model->rank, model->rank,
                               model->rank == 4 ? "(B, H, Nq, Dv)" : "(B, H, Nq)"};
    char shape[128], expected[128];
    sqa_status status = sqa_npy_read(out, path, &wish);
    if (status != SQA_OK)
        return sqa_fail(status, "%s: %s", name, sqa_last_error());
    if (same_shape(out, model)) {
        sqa_tensor_file_note(name, path, out);
        return SQA_OK;
    }
    sqa_npy_shape_text(out, shape, sizeof shape);
    sqa_npy_shape_text(model, expected, sizeof expected);
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s: %s: shape %s; expected %s", name, path, shape,
                    expected);
}

/* Zeros; a file of f2 where the device stores f16, of f4 otherwise. */
static sqa_status make_output(sqa_npy *out, const sqa_npy *model, sqa_element element)
{
    *out = *model;
    out->element = element == SQA_ELEMENT_F16 ? SQA_ELEMENT_F16 : SQA_ELEMENT_F32;
    out->data = calloc(out->count ? out->count : 1, sizeof(float));
    return out->data ? SQA_OK : sqa_fail_memory("an output");
}

static sqa_element element_of(const sqa_run_backward *backward, uint32_t slot)
{
    sqa_tensor_shape shape;
    return sqa_tensor_shape_of(&backward->problem, slot, &shape) ? shape.element : SQA_ELEMENT_F32;
}

bool sqa_run_backward_needs_forward(const sqa_run_backward *backward)
{
    return !backward->paths[SQA_SLOT_O];
}

static sqa_status make_problem(sqa_run_backward *backward, const sqa_attention_desc *desc)
{
    sqa_backward_options options = SQA_BACKWARD_OPTIONS_INIT;
    options.gradients = 0;
    for (size_t i = 0; i < ROWS; i++)
        if (backward->paths[rows[i].slot])
            options.gradients |= rows[i].gradient;
    const struct {
        uint32_t gradient;
        bool possible;
        const char *message;
    } needs[] = {
        {SQA_GRADIENT_BIAS, desc->bias.present, "--dbias needs --bias FILE"},
        {SQA_GRADIENT_SINKS, desc->sinks, "--dsinks needs --sinks FILE"},
        {SQA_GRADIENT_SLOPES, desc->alibi == SQA_ALIBI_SLOPES, "--dslopes needs --alibi FILE"},
    };
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++)
        if (options.gradients & needs[i].gradient && !needs[i].possible)
            return sqa_fail(SQA_INVALID_ARGUMENT, "%s", needs[i].message);
    return sqa_problem_from_backward(&backward->problem, desc, &options);
}

static sqa_status check_paths(const sqa_run_backward *backward)
{
    bool asked = false;
    for (size_t i = 0; i < ROWS; i++)
        asked = asked || (rows[i].gradient && backward->paths[rows[i].slot]);
    if (!backward->paths[SQA_SLOT_DOUT])
        return sqa_fail(SQA_INVALID_ARGUMENT, "--dout FILE.npy is missing");
    if (!asked)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "no gradient is asked for; expected some of --dq, --dk, --dv, --dbias, "
                        "--dsinks and --dslopes");
    if (!backward->paths[SQA_SLOT_O] != !backward->paths[SQA_SLOT_LSE])
        return sqa_fail(SQA_INVALID_ARGUMENT, "--o FILE.npy and --lse FILE.npy go together");
    return SQA_OK;
}

sqa_status sqa_run_backward_read(sqa_run_backward *backward, const sqa_tensor_files *inputs,
                                 const sqa_run_pattern *pattern, const sqa_attention_desc *desc)
{
    sqa_status status = check_paths(backward);
    if (status == SQA_OK && pattern->select.top_k)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "--top-k: not with --op backward, which takes the "
                                                "lists of the forward pass from files");
    if (status == SQA_OK)
        status = make_problem(backward, desc);
    for (size_t i = 0; i < ROWS && status == SQA_OK; i++) {
        const uint32_t slot = rows[i].slot;
        const sqa_npy model = model_of(rows[i].shape, inputs, pattern, desc);
        const bool on_the_way = sqa_run_backward_needs_forward(backward) &&
                                (slot == SQA_SLOT_O || slot == SQA_SLOT_LSE);
        if (rows[i].gradient ? backward->paths[slot] != NULL : on_the_way)
            status = make_output(&backward->files[slot], &model, element_of(backward, slot));
        else if (!rows[i].gradient)
            status =
                read_input(&backward->files[slot], rows[i].name, backward->paths[slot], &model);
    }
    return status;
}

static sqa_host_array array_of(sqa_npy *file, sqa_element element)
{
    return (sqa_host_array){element, &file->memory, file->memory ? file->count : 0};
}

/* What both passes read. */
static sqa_status upload_inputs(sqa_run_backward *backward, sqa_context *context,
                                sqa_tensor_files *inputs, sqa_run_pattern *pattern)
{
    sqa_npy *const files[SQA_ATTENTION_SLOTS] = {
        [SQA_SLOT_Q] = &inputs->q,
        [SQA_SLOT_K] = &inputs->k,
        [SQA_SLOT_V] = &inputs->v,
        [SQA_SLOT_BIAS] = &pattern->files[SQA_SLOT_BIAS],
        [SQA_SLOT_MASK] = &pattern->files[SQA_SLOT_MASK],
        [SQA_SLOT_KEY_MASK] = &pattern->files[SQA_SLOT_KEY_MASK],
        [SQA_SLOT_SINKS] = &pattern->files[SQA_SLOT_SINKS],
        [SQA_SLOT_SLOPES] = &pattern->files[SQA_SLOT_SLOPES],
    };
    sqa_status status = SQA_OK;
    for (uint32_t slot = 0; slot < SQA_ATTENTION_SLOTS && status == SQA_OK; slot++) {
        if (!files[slot] || !files[slot]->memory)
            continue;
        const sqa_host_array array = array_of(files[slot], element_of(backward, slot));
        status = sqa_host_upload(context, &array, &backward->there[slot]);
    }
    return status;
}

sqa_status sqa_run_backward_prepare(sqa_run_backward *backward, sqa_context *context,
                                    const sqa_plan_options *options, sqa_tensor_files *inputs,
                                    sqa_run_pattern *pattern)
{
    sqa_status status = sqa_plan_build(&backward->plan, context, &backward->problem, options);
    return status == SQA_OK ? upload_inputs(backward, context, inputs, pattern) : status;
}

/* Index tensors are the pattern's. */
static void gather(const sqa_run_backward *backward, const sqa_run_pattern *pattern,
                   cl_mem there[SQA_MAX_TENSORS])
{
    memcpy(there, pattern->indices, SQA_MAX_TENSORS * sizeof *there);
    for (uint32_t slot = 0; slot < SQA_BACKWARD_SLOTS; slot++)
        if (backward->there[slot])
            there[slot] = backward->there[slot];
}

static sqa_status run_forward(sqa_run_backward *backward, sqa_context *context, sqa_plan *forward,
                              const cl_mem there[SQA_MAX_TENSORS])
{
    sqa_host_array arrays[SQA_MAX_TENSORS] = {
        [SQA_SLOT_O] = array_of(&backward->files[SQA_SLOT_O], element_of(backward, SQA_SLOT_O)),
        [SQA_SLOT_LSE] = array_of(&backward->files[SQA_SLOT_LSE], SQA_ELEMENT_F32)};
    return sqa_host_call(context, forward, arrays, there);
}

sqa_status sqa_run_backward_call(sqa_run_backward *backward, sqa_context *context,
                                 sqa_plan *forward, const sqa_run_pattern *pattern)
{
    cl_mem there[SQA_MAX_TENSORS];
    sqa_host_array arrays[SQA_MAX_TENSORS] = {{0}};
    gather(backward, pattern, there);
    sqa_status status = forward ? run_forward(backward, context, forward, there) : SQA_OK;
    for (size_t i = 0; i < ROWS; i++) {
        const uint32_t slot = rows[i].slot;
        arrays[slot] = array_of(&backward->files[slot], element_of(backward, slot));
    }
    return status == SQA_OK ? sqa_host_call(context, backward->plan, arrays, there) : status;
}

sqa_status sqa_run_backward_write(sqa_run_backward *backward)
{
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < ROWS && status == SQA_OK; i++) {
        const uint32_t slot = rows[i].slot;
        sqa_output *out = &backward->outputs[slot];
        if (!rows[i].gradient || !backward->paths[slot])
            continue;
        status = sqa_output_open(out, rows[i].name, backward->paths[slot]);
        if (status != SQA_OK)
            break;
        sqa_npy_write(out->file, &backward->files[slot]);
        status = sqa_output_complete(out);
    }
    for (size_t i = 0; i < ROWS && status == SQA_OK; i++)
        if (rows[i].gradient && backward->paths[rows[i].slot])
            status = sqa_output_keep(&backward->outputs[rows[i].slot]);
    return status;
}

void sqa_run_backward_free(sqa_run_backward *backward)
{
    for (uint32_t slot = 0; slot < SQA_BACKWARD_SLOTS; slot++) {
        sqa_output_discard(&backward->outputs[slot]);
        sqa_npy_free(&backward->files[slot]);
        if (backward->there[slot])
            clReleaseMemObject(backward->there[slot]);
        backward->there[slot] = NULL;
    }
    sqa_plan_destroy(backward->plan);
    backward->plan = NULL;
}
