/* See layer_files.h. */
#include "cli/run/layer_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/status.h"
#include "cli/run/linear_files.h"
#include "cli/run/tensor_files.h"

/* Parameters by their slots; the gradient of each has the same name. */
static const struct {
    const char *name;
    uint32_t slot, gradient, rank;
} parameters[] = {
    {"wq", SQA_LAYER_WQ, SQA_LAYER_DWQ, 2},
    {"wk", SQA_LAYER_WK, SQA_LAYER_DWK, 2},
    {"wv", SQA_LAYER_WV, SQA_LAYER_DWV, 2},
    {"wqkv", SQA_LAYER_WQKV, SQA_LAYER_DWQKV, 2},
    {"wo", SQA_LAYER_WO, SQA_LAYER_DWO, 2},
    {"bq", SQA_LAYER_BQ, SQA_LAYER_DBQ, 1},
    {"bk", SQA_LAYER_BK, SQA_LAYER_DBK, 1},
    {"bv", SQA_LAYER_BV, SQA_LAYER_DBV, 1},
    {"bqkv", SQA_LAYER_BQKV, SQA_LAYER_DBQKV, 1},
    {"bo", SQA_LAYER_BO, SQA_LAYER_DBO, 1},
    {"wg", SQA_LAYER_WG, SQA_LAYER_DWG, 2},
    {"bg", SQA_LAYER_BG, SQA_LAYER_DBG, 1},
    {"q_norm", SQA_LAYER_Q_NORM, SQA_LAYER_DQ_NORM, 1},
    {"k_norm", SQA_LAYER_K_NORM, SQA_LAYER_DK_NORM, 1},
    {"wdecay", SQA_LAYER_WDECAY, SQA_LAYER_DWDECAY, 2},
    {"bdecay", SQA_LAYER_BDECAY, SQA_LAYER_DBDECAY, 1},
    {"wbeta", SQA_LAYER_WBETA, SQA_LAYER_DWBETA, 2},
    {"bbeta", SQA_LAYER_BBETA, SQA_LAYER_DBBETA, 1},
    {"x", SQA_BLOCK_SLOTS, SQA_LAYER_DX, 0},
    {"context", SQA_BLOCK_SLOTS, SQA_LAYER_DCONTEXT, 0},
    {"decay", SQA_BLOCK_SLOTS, SQA_LAYER_DDECAY, 0},
    {"beta", SQA_BLOCK_SLOTS, SQA_LAYER_DBETA, 0},
    {"state_in", SQA_BLOCK_SLOTS, SQA_LAYER_DSTATE_IN, 0},
    {"sums_in", SQA_BLOCK_SLOTS, SQA_LAYER_DSUMS_IN, 0},
    {"norm1", SQA_BLOCK_NORM1, SQA_BLOCK_DNORM1, 1},
    {"norm1_bias", SQA_BLOCK_NORM1_BIAS, SQA_BLOCK_DNORM1_BIAS, 1},
    {"norm2", SQA_BLOCK_NORM2, SQA_BLOCK_DNORM2, 1},
    {"norm2_bias", SQA_BLOCK_NORM2_BIAS, SQA_BLOCK_DNORM2_BIAS, 1},
    {"wup", SQA_BLOCK_WUP, SQA_BLOCK_DWUP, 2},
    {"wgate", SQA_BLOCK_WGATE, SQA_BLOCK_DWGATE, 2},
    {"wdown", SQA_BLOCK_WDOWN, SQA_BLOCK_DWDOWN, 2},
    {"bup", SQA_BLOCK_BUP, SQA_BLOCK_DBUP, 1},
    {"bgate", SQA_BLOCK_BGATE, SQA_BLOCK_DBGATE, 1},
    {"bdown", SQA_BLOCK_BDOWN, SQA_BLOCK_DBDOWN, 1},
};
enum { PARAMETERS = sizeof parameters / sizeof *parameters };

bool sqa_layer_files_is_gradient(uint32_t slot)
{
    for (int i = 0; i < PARAMETERS; i++)
        if (slot == parameters[i].gradient)
            return true;
    return false;
}

bool sqa_layer_files_is_linear(uint32_t slot)
{
    return slot < SQA_LAYER_SLOTS && sqa_layer_linear_slot(slot) < SQA_LINEAR_BACKWARD_SLOTS;
}

bool sqa_layer_files_is_state(uint32_t slot)
{
    return slot == SQA_LAYER_STATE || slot == SQA_LAYER_SUMS;
}

/* Whether a file may be read into the slot. */
static bool is_input(uint32_t slot)
{
    return (slot >= SQA_LAYER_X && slot <= SQA_LAYER_DY && !sqa_layer_files_is_state(slot)) ||
           (slot >= SQA_BLOCK_NORM1 && slot <= SQA_BLOCK_BDOWN);
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static sqa_status set_path(char out[SQA_LAYER_PATH], const char *folder, const char *name)
{
    const int length = snprintf(out, SQA_LAYER_PATH, "%s/%s.npy", folder, name);
    return length < SQA_LAYER_PATH
               ? SQA_OK
               : sqa_fail(SQA_INVALID_ARGUMENT, "'%.60s...': a path of at most %d characters",
                          folder, SQA_LAYER_PATH - 1);
}

static sqa_status copy_path(char out[SQA_LAYER_PATH], const char *path)
{
    const int length = snprintf(out, SQA_LAYER_PATH, "%s", path ? path : "");
    return length < SQA_LAYER_PATH
               ? SQA_OK
               : sqa_fail(SQA_INVALID_ARGUMENT, "'%.60s...': a path of at most %d characters", path,
                          SQA_LAYER_PATH - 1);
}

/* Biases, of the perceptron and of LayerNorm, as one of their files is there: all or none. */
static void leave_out_of_block(sqa_layer_files *files)
{
    const bool gated = is_there(files->paths[SQA_BLOCK_WGATE]);
    bool biases = files->layer_norm && is_there(files->paths[SQA_BLOCK_NORM1_BIAS]);
    for (uint32_t slot = SQA_BLOCK_BUP; slot <= SQA_BLOCK_BDOWN; slot++)
        biases = biases || is_there(files->paths[slot]);
    const struct {
        uint32_t slot;
        bool needed;
    } slots[] = {
        {SQA_BLOCK_NORM1_BIAS, files->layer_norm && biases},
        {SQA_BLOCK_NORM2, files->serial},
        {SQA_BLOCK_NORM2_BIAS, files->serial && files->layer_norm && biases},
        {SQA_BLOCK_WGATE, gated},
        {SQA_BLOCK_BUP, biases},
        {SQA_BLOCK_BGATE, gated && biases},
        {SQA_BLOCK_BDOWN, biases},
    };
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
        if (!slots[i].needed)
            files->paths[slots[i].slot][0] = '\0';
}

/* With wqkv.npy, that alone; biases as their files are there, all or none. */
static void leave_out(sqa_layer_files *files)
{
    const bool fused = is_there(files->paths[SQA_LAYER_WQKV]);
    bool biases = false;
    for (uint32_t slot = SQA_LAYER_BQ; slot <= SQA_LAYER_BO; slot++)
        biases = biases || is_there(files->paths[slot]);
    for (uint32_t slot = SQA_LAYER_WQ; slot <= SQA_LAYER_BO; slot++) {
        const bool of_all = slot == SQA_LAYER_WQKV || slot == SQA_LAYER_BQKV;
        const bool of_one = !of_all && slot != SQA_LAYER_WO && slot != SQA_LAYER_BO;
        if ((fused && of_one) || (!fused && of_all) || (slot >= SQA_LAYER_BQ && !biases))
            files->paths[slot][0] = '\0';
    }
    const struct {
        bool there;
        uint32_t weight, bias; /* or two weights */
        bool biased;
    } parts[] = {
        {files->gate, SQA_LAYER_WG, SQA_LAYER_BG, biases},
        {files->qk_norm, SQA_LAYER_Q_NORM, SQA_LAYER_K_NORM, true},
        {files->project_decay, SQA_LAYER_WDECAY, SQA_LAYER_BDECAY, biases},
        {files->project_beta, SQA_LAYER_WBETA, SQA_LAYER_BBETA, biases},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!parts[i].there)
            files->paths[parts[i].weight][0] = '\0';
        if (!parts[i].there || !parts[i].biased)
            files->paths[parts[i].bias][0] = '\0';
    }
}

sqa_status sqa_layer_files_find(sqa_layer_files *files)
{
    files->paths = calloc(SQA_BLOCK_SLOTS, sizeof *files->paths);
    if (!files->paths)
        return sqa_fail_memory("paths");
    sqa_status status = copy_path(files->paths[SQA_LAYER_X], files->x);
    if (!status)
        status = copy_path(files->paths[SQA_LAYER_CONTEXT], files->context);
    if (!status)
        status = copy_path(files->paths[SQA_LAYER_DY], files->dout);
    for (uint32_t i = 0; i < SQA_LAYER_LINEAR && !status; i++)
        status = copy_path(files->paths[SQA_LAYER_DECAY + i], files->linear[i]);
    for (int i = 0; i < PARAMETERS && !status; i++) {
        if (parameters[i].gradient >= SQA_LAYER_SLOTS && !files->block)
            continue;
        if (parameters[i].slot < SQA_BLOCK_SLOTS)
            status = set_path(files->paths[parameters[i].slot], files->weights, parameters[i].name);
        if (!status && files->grads)
            status =
                set_path(files->paths[parameters[i].gradient], files->grads, parameters[i].name);
    }
    if (!status)
        leave_out(files);
    if (!status && files->block)
        leave_out_of_block(files);
    return status;
}

const char *sqa_layer_files_option(uint32_t slot)
{
    static const char *const linear[SQA_LAYER_LINEAR] = {"--decay",   "--beta",      "--state-in",
                                                         "--sums-in", "--state-out", "--sums-out"};
    if (slot >= SQA_LAYER_DECAY && slot <= SQA_LAYER_SUMS)
        return linear[slot - SQA_LAYER_DECAY];
    return slot == SQA_LAYER_X         ? "--x"
           : slot == SQA_LAYER_CONTEXT ? "--context"
           : slot == SQA_LAYER_DY      ? "--dout"
           : is_input(slot)            ? "--weights"
                                       : "--grads";
}

void sqa_layer_files_name(const sqa_layer_files *files, sqa_command_file *out)
{
    for (uint32_t slot = 0; slot < SQA_BLOCK_SLOTS; slot++)
        out[slot] = (sqa_command_file){sqa_layer_files_option(slot),
                                       files->paths[slot][0] ? files->paths[slot] : NULL,
                                       is_input(slot) ? SQA_FILE_READ : SQA_FILE_WRITTEN};
}

/* 0: it is no parameter, but of X, or of the context. */
static uint32_t parameter_rank(uint32_t slot)
{
    for (int i = 0; i < PARAMETERS; i++)
        if (slot == parameters[i].slot || slot == parameters[i].gradient)
            return parameters[i].rank;
    return 0;
}

static sqa_status read_file(sqa_layer_files *files, uint32_t slot)
{
    static const sqa_npy_wish wishes[] = {
        {SQA_NPY_FLOATS, 2, 3, "(N, width) or (batch, N, width)"},
        {SQA_NPY_FLOATS, 1, 1, "(columns)"},
        {SQA_NPY_FLOATS, 2, 2, "(rows, columns)"},
        {SQA_NPY_FLOATS, 1, 4, "1 to 4 dimensions"},
    };
    const sqa_npy_wish wish = wishes[sqa_layer_files_is_linear(slot) ? 3 : parameter_rank(slot)];
    sqa_status status = sqa_npy_read(&files->of[slot], files->paths[slot], &wish);
    if (!status)
        sqa_tensor_file_note(sqa_layer_files_option(slot), files->paths[slot], &files->of[slot]);
    return status;
}

/* Lengths beyond what a descriptor holds are refused as such. */
static uint32_t length_of(uint64_t length)
{
    return length < SQA_NOT_SET ? (uint32_t)length : SQA_NOT_SET;
}

/* The columns of a matrix are those of so many heads. */
static sqa_status head_size(const sqa_layer_files *files, uint32_t slot, uint64_t heads,
                            uint32_t *out)
{
    const uint64_t columns = files->of[slot].shape[1];
    if (columns % heads != 0 || columns == 0)
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s: %llu columns; expected a multiple of %llu heads",
                        files->paths[slot], (unsigned long long)columns, (unsigned long long)heads);
    *out = length_of(columns / heads);
    return SQA_OK;
}

static sqa_status settle_dims(const sqa_layer_files *files, bool fused, sqa_attention_desc *a)
{
    if (fused)
        return head_size(files, SQA_LAYER_WQKV, (uint64_t)a->q_heads + 2ull * a->kv_heads,
                         &a->head_dim);
    sqa_status status = head_size(files, SQA_LAYER_WQ, a->q_heads, &a->head_dim);
    return status ? status : head_size(files, SQA_LAYER_WV, a->kv_heads, &a->value_dim);
}

/* What says itself by its width, and by which files there are. */
static void settle_widths(const sqa_layer_files *files, sqa_block_desc *block, sqa_layer_desc *desc)
{
    const sqa_npy *x = &files->of[SQA_LAYER_X], *context = &files->of[SQA_LAYER_CONTEXT];
    desc->d_model = length_of(x->shape[x->rank - 1]);
    desc->fused_qkv = files->paths[SQA_LAYER_WQKV][0] != '\0';
    desc->biases = files->paths[SQA_LAYER_BO][0] != '\0';
    desc->qk_norm = files->qk_norm;
    desc->gate = files->gate;
    if (files->context)
        desc->context_dim = length_of(context->shape[context->rank - 1]);
    if (!files->block)
        return;
    block->mlp_dim = length_of(files->of[SQA_BLOCK_WUP].shape[1]);
    block->gated = files->paths[SQA_BLOCK_WGATE][0] != '\0';
    block->biases = files->paths[SQA_BLOCK_BDOWN][0] != '\0';
}

sqa_status sqa_layer_files_read(sqa_layer_files *files, sqa_block_desc *block, sqa_layer_desc *desc,
                                sqa_attention_desc *attention)
{
    const sqa_npy *x = &files->of[SQA_LAYER_X], *context = &files->of[SQA_LAYER_CONTEXT];
    bool all_f16 = true;
    sqa_status status = SQA_OK;
    for (uint32_t slot = 0; slot < SQA_BLOCK_SLOTS && !status; slot++) {
        if (!is_input(slot) || !files->paths[slot][0])
            continue;
        status = read_file(files, slot);
        all_f16 = all_f16 &&
                  (sqa_layer_files_is_linear(slot) || files->of[slot].element == SQA_ELEMENT_F16);
    }
    if (status)
        return status;
    attention->dtype = all_f16 ? SQA_DTYPE_F16 : SQA_DTYPE_F32;
    attention->batch = x->rank == 3 ? length_of(x->shape[0]) : 1;
    attention->q_length = attention->kv_length = length_of(x->shape[x->rank - 2]);
    if (files->context)
        attention->kv_length = length_of(context->shape[context->rank - 2]);
    desc->attention = attention;
    settle_widths(files, block, desc);
    return settle_dims(files, desc->fused_qkv, attention);
}

/* What the shape of a file has to be: X's and the context's with their batch. */
static sqa_npy model_of(const sqa_problem *problem, uint32_t slot, uint32_t rank)
{
    const sqa_attention *a = &problem->of.attention;
    const bool context = slot == SQA_LAYER_CONTEXT || slot == SQA_LAYER_DCONTEXT;
    sqa_tensor_shape shape;
    sqa_npy model = {.rank = rank};
    sqa_tensor_shape_of(problem, slot, &shape);
    if (sqa_layer_files_is_linear(slot))
        return sqa_run_linear_shape(&shape, sqa_layer_linear_slot(slot),
                                    problem->of.layer.linear.decay);
    if (rank == 3)
        model.shape[0] = a->batch;
    if (rank > 1)
        model.shape[rank - 2] = rank == 3 ? (context ? a->kv_length : a->q_length) : shape.length;
    model.shape[rank - 1] = shape.dim;
    model.count = (size_t)shape.length * shape.dim;
    return model;
}

static uint32_t rank_of(const sqa_layer_files *files, uint32_t slot)
{
    if (parameter_rank(slot))
        return parameter_rank(slot);
    return slot == SQA_LAYER_DCONTEXT ? files->of[SQA_LAYER_CONTEXT].rank
                                      : files->of[SQA_LAYER_X].rank;
}

/* Whether the file of an input has the shape that its pass asks for. */
static sqa_status check_file(const sqa_layer_files *files, const sqa_problem *problem,
                             uint32_t slot)
{
    const sqa_npy *file = &files->of[slot];
    const uint32_t rank =
        slot == SQA_LAYER_CONTEXT ? files->of[SQA_LAYER_X].rank : rank_of(files, slot);
    const sqa_npy model = model_of(problem, slot, rank);
    char own[128], expected[128];
    if (file->rank == model.rank &&
        !memcmp(file->shape, model.shape, model.rank * sizeof *model.shape))
        return SQA_OK;
    sqa_npy_shape_text(file, own, sizeof own);
    sqa_npy_shape_text(&model, expected, sizeof expected);
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s: %s: shape %s; expected %s",
                    sqa_layer_files_option(slot), files->paths[slot], own, expected);
}

/* Biases are no tensors of the backward pass, dY is none of the forward pass. */
sqa_status sqa_layer_files_check(const sqa_layer_files *files, const sqa_problem *forward,
                                 const sqa_problem *backward)
{
    sqa_status status = SQA_OK;
    for (uint32_t slot = 0; slot < SQA_BLOCK_SLOTS && !status; slot++)
        if (is_input(slot) && files->paths[slot][0])
            status = check_file(files, slot == SQA_LAYER_DY ? backward : forward, slot);
    return status;
}

sqa_status sqa_layer_files_make(sqa_layer_files *files, const sqa_problem *problem, uint32_t slot)
{
    sqa_npy *out = &files->of[slot];
    *out = model_of(problem, slot, rank_of(files, slot));
    out->element = problem->of.attention.dtype == SQA_DTYPE_F16 && !sqa_layer_files_is_linear(slot)
                       ? SQA_ELEMENT_F16
                       : SQA_ELEMENT_F32;
    out->data = calloc(out->count ? out->count : 1, sizeof(float));
    return out->data ? SQA_OK : sqa_fail_memory("an output");
}

void sqa_layer_files_free(sqa_layer_files *files)
{
    for (uint32_t slot = 0; slot < SQA_BLOCK_SLOTS; slot++)
        sqa_npy_free(&files->of[slot]);
    free(files->paths);
}
