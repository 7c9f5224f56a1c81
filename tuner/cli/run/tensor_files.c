/* What the shapes of Q, K and V must have in common. */
#include "cli/run/tensor_files.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/status.h"
#include "problem/attention.h"

enum { BATCH, HEADS, LENGTH, DIM, RANK };

static const char dimensions[] = "(batch, heads, length, dim)";

/* The sizes an attention can have, per dimension. */
static const struct {
    const char *name;
    uint64_t low, high;
} limits[RANK] = {
    [BATCH] = {"batch", 0, UINT32_MAX},
    [HEADS] = {"heads", 1, 65535},
    [LENGTH] = {"length", 0, 1u << 30},
    [DIM] = {"dim", 1, SQA_MAX_HEAD_DIM},
};

static sqa_status read_one(sqa_npy *out, const char *path)
{
    static const sqa_npy_wish wish = {SQA_NPY_FLOATS, RANK, RANK, dimensions};
    sqa_status status = sqa_npy_read(out, path, &wish);
    for (int i = 0; i < RANK && !status; i++)
        if (out->shape[i] < limits[i].low || out->shape[i] > limits[i].high) {
            char shape[128];
            sqa_npy_shape_text(out, shape, sizeof shape);
            status =
                sqa_fail(SQA_INVALID_ARGUMENT,
                         "%s: shape %s; expected %s with %s from %llu to "
                         "%llu",
                         path, shape, dimensions, limits[i].name, (unsigned long long)limits[i].low,
                         (unsigned long long)limits[i].high);
        }
    return status;
}

/* `tensor` must have the size of `other` in dimension `which`. */
static sqa_status must_agree(const sqa_npy *tensor, const char *path, const sqa_npy *other,
                             const char *other_path, int which)
{
    if (tensor->shape[which] == other->shape[which])
        return SQA_OK;
    char shape[128], other_shape[128];
    sqa_npy_shape_text(tensor, shape, sizeof shape);
    sqa_npy_shape_text(other, other_shape, sizeof other_shape);
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s: shape %s; expected %s %llu, as %s has with %s", path,
                    shape, limits[which].name, (unsigned long long)other->shape[which], other_path,
                    other_shape);
}

static sqa_status check_heads(const sqa_tensor_files *files)
{
    uint64_t q = files->q.shape[HEADS], kv = files->k.shape[HEADS];
    if (q % kv == 0 || kv % q == 0)
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "%s: %llu heads; expected a divisor or a multiple of the %llu heads of %s",
                    files->k_path, (unsigned long long)kv, (unsigned long long)q, files->q_path);
}

static sqa_status check_together(const sqa_tensor_files *files)
{
    const sqa_npy *q = &files->q, *k = &files->k, *v = &files->v;
    sqa_status status =
        files->paged ? SQA_OK : must_agree(k, files->k_path, q, files->q_path, BATCH);
    if (!status)
        status = must_agree(k, files->k_path, q, files->q_path, DIM);
    if (!status)
        status = must_agree(v, files->v_path, k, files->k_path, BATCH);
    if (!status)
        status = must_agree(v, files->v_path, k, files->k_path, HEADS);
    if (!status)
        status = must_agree(v, files->v_path, k, files->k_path, LENGTH);
    return status ? status : check_heads(files);
}

sqa_status sqa_tensor_files_read(sqa_tensor_files *files, sqa_attention_desc *desc)
{
    sqa_status status = read_one(&files->q, files->q_path);
    if (!status)
        status = read_one(&files->k, files->k_path);
    if (!status)
        status = read_one(&files->v, files->v_path);
    if (!status)
        status = check_together(files);
    if (status)
        return status;
    desc->batch = (uint32_t)files->q.shape[BATCH];
    desc->q_heads = (uint32_t)files->q.shape[HEADS];
    desc->kv_heads = (uint32_t)files->k.shape[HEADS];
    desc->q_length = (uint32_t)files->q.shape[LENGTH];
    desc->kv_length = (uint32_t)files->k.shape[LENGTH];
    if (files->paged)
        desc->paged = (sqa_paged){desc->kv_length, (uint32_t)files->k.shape[BATCH]};
    desc->head_dim = (uint32_t)files->q.shape[DIM];
    desc->value_dim = (uint32_t)files->v.shape[DIM];
    return SQA_OK;
}

void sqa_tensor_file_note(const char *option, const char *path, const sqa_npy *file)
{
    if (file->rounded)
        fprintf(stderr, "sqa run: %s: %s: float64, rounded to float32\n", option, path);
}

void sqa_tensor_files_note(const sqa_tensor_files *files)
{
    sqa_tensor_file_note("--q", files->q_path, &files->q);
    sqa_tensor_file_note("--k", files->k_path, &files->k);
    sqa_tensor_file_note("--v", files->v_path, &files->v);
}

void sqa_tensor_files_free(sqa_tensor_files *files)
{
    sqa_npy_free(&files->q);
    sqa_npy_free(&files->k);
    sqa_npy_free(&files->v);
}

static sqa_status allocate(sqa_npy *out, const sqa_attention_desc *desc, uint32_t rank)
{
    uint32_t heads = desc->q_heads > desc->kv_heads ? desc->q_heads : desc->kv_heads;
    sqa_npy tensor = {.rank = rank, .count = 1};
    const bool ragged = desc->ragged.present; /* one row of sequences, as Q is */
    const uint64_t shape[RANK] = {ragged ? 1 : desc->batch, heads,
                                  ragged ? desc->ragged.q_total : desc->q_length, desc->value_dim};
    for (uint32_t i = 0; i < rank; i++) {
        tensor.shape[i] = shape[i];
        if (shape[i] && tensor.count > SIZE_MAX / sizeof(float) / shape[i])
            return sqa_fail_memory("the output");
        tensor.count *= (size_t)shape[i];
    }
    tensor.data = calloc(tensor.count ? tensor.count : 1, sizeof(float));
    if (!tensor.data)
        return sqa_fail_memory("the output");
    *out = tensor;
    return SQA_OK;
}

sqa_status sqa_output_tensor(sqa_npy *out, const sqa_attention_desc *desc)
{
    sqa_status status = allocate(out, desc, RANK);
    if (!status && desc->dtype == SQA_DTYPE_F16)
        out->element = SQA_ELEMENT_F16;
    return status;
}

sqa_status sqa_lse_tensor(sqa_npy *out, const sqa_attention_desc *desc)
{
    return allocate(out, desc, RANK - 1);
}
