#include "cli/run_inputs.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "operations/attention/reference.h"
#include "operations/backward/slots.h"
#include "operations/operations.h"
#include "operations/shape.h"
#include "operations/tensors.h"
#include "problem/storage.h"
#include "reference/judge.h"
#include "text/npy.h"

static void file_path(char out[128], const char *name)
{
    snprintf(out, 128, "%s/%s", work_folder, name);
}

void save_array(const char *name, const char *descr, uint32_t rank, const uint64_t *shape,
                const void *data, size_t element)
{
    char path[128], dims[128] = "", header[256];
    size_t count = 1, used = 0;
    for (uint32_t i = 0; i < rank; i++) {
        count *= (size_t)shape[i];
        used += (size_t)snprintf(dims + used, sizeof dims - used, "%llu,",
                                 (unsigned long long)shape[i]);
    }
    int length = snprintf(header, sizeof header,
                          "{'descr': '%s', 'fortran_order': False, 'shape': (%s)}\n", descr, dims);
    const unsigned char start[] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)length, 0};
    void *zeros = calloc(count + 1, element);
    file_path(path, name);
    FILE *file = fopen(path, "wb");
    ck_assert(file && zeros && length < 256);
    fwrite(start, 1, sizeof start, file);
    fwrite(header, 1, (size_t)length, file);
    ck_assert_uint_eq(fwrite(data ? data : zeros, element, count, file), count);
    ck_assert_int_eq(fclose(file), 0);
    free(zeros);
}

/* What the storage type keeps is in memory already. bf16 has no file of its own. */
static void save_floats(const char *name, sqa_element element, uint32_t rank, const uint64_t *shape,
                        const float *data, size_t count)
{
    if (element != SQA_ELEMENT_F16) {
        save_array(name, "<f4", rank, shape, data, sizeof *data);
        return;
    }
    uint16_t *stored = malloc((count + 1) * sizeof *stored);
    ck_assert_ptr_nonnull(stored);
    sqa_storage_encode(SQA_DTYPE_F16, data, stored, count);
    save_array(name, "<f2", rank, shape, stored, sizeof *stored);
    free(stored);
}

/* As the file has it: repeated dimensions once, vectors as such. */
static uint32_t file_shape(const sqa_tensor_shape *t, uint32_t slot, bool least_rank,
                           uint64_t out[4])
{
    const bool whole = slot <= SQA_SLOT_LSE || slot == SQA_SLOT_DOUT;
    const uint64_t all[4] = {t->strides.batch || whole ? t->batch : 1,
                             t->strides.head || whole ? t->heads : 1,
                             t->strides.sequence || whole ? t->length : 1, t->dim};
    uint32_t skipped = 0;
    if (slot == SQA_SLOT_LSE) {
        memcpy(out, all, 3 * sizeof *out);
        return 3;
    }
    if (slot == SQA_SLOT_KEY_MASK) {
        out[0] = t->batch;
        out[1] = t->dim;
        return 2;
    }
    if (slot >= SQA_SLOT_SINKS && !whole)
        skipped = 3;
    while (least_rank && !whole && skipped < 2 && all[skipped] == 1)
        skipped++;
    memcpy(out, all + skipped, (4 - skipped) * sizeof *out);
    return 4 - skipped;
}

static void save_input(const run_inputs *in, uint32_t slot, bool least_rank)
{
    const sqa_problem *problem = &in->tensors.problem;
    sqa_tensor_shape t;
    uint64_t shape[4];
    char name[32];
    if (!sqa_tensor_shape_of(problem, slot, &t) || sqa_tensor_is_output(problem, slot))
        return;
    uint32_t rank = file_shape(&t, slot, least_rank, shape);
    if (slot == SQA_SLOT_BLOCK_TABLE && rank == 1) {
        shape[0] = problem->of.attention.batch;
        shape[1] = sqa_attention_table_row(&problem->of.attention);
        rank = 2;
    }
    snprintf(name, sizeof name, "%s.npy", sqa_tensor_name(problem, slot));
    if (sqa_element_is_float(t.element))
        save_floats(name, t.element, rank, shape, in->given.by_slot[slot],
                    (size_t)sqa_tensor_extent(&t));
    else
        save_array(name, t.element == SQA_ELEMENT_INT ? "<i4" : "|u1", rank, shape,
                   in->given.by_slot[slot], (size_t)sqa_element_bytes(t.element, 1));
}

void make_run_inputs(run_inputs *out, const char *shape, bool least_rank)
{
    sqa_problem problem;
    ck_assert_msg(sqa_problem_parse(shape, &problem) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(sqa_host_tensors_create(&out->tensors, &problem, 7, false), SQA_OK);
    out->given = sqa_host_tensors_views(&out->tensors);
    save_run_inputs(out, least_rank);
}

void save_run_inputs(const run_inputs *in, bool least_rank)
{
    for (uint32_t slot = 0; slot < SQA_MAX_TENSORS; slot++)
        save_input(in, slot, least_rank);
}

void free_run_inputs(run_inputs *in)
{
    sqa_host_tensors_free(&in->tensors);
}

const program_result *run_files(const char *more)
{
    char options[1024] = "";
    size_t used = 0;
    for (; *more; more++)
        used += (size_t)snprintf(options + used, sizeof options - used,
                                 *more == '@' ? "%s" : "%.1s", *more == '@' ? work_folder : more);
    ck_assert_uint_lt(used, sizeof options);
    const char *f = work_folder;
    return run_sqa("run --q %s/q.npy --k %s/k.npy --v %s/v.npy --out %s/o.npy%s", f, f, f, f,
                   options);
}

bool work_file_exists(const char *name)
{
    char path[128];
    file_path(path, name);
    return access(path, F_OK) == 0;
}

void check_refused(const program_result *result, const char *file, const char *message)
{
    ck_assert_msg(result->code == 2, "exit %d: %s", result->code, result->err);
    ck_assert_msg(strstr(result->err, file) && strstr(result->err, message), "%s", result->err);
    char *line = strchr(result->err, '\n');
    ck_assert_msg(line && line[1] == '\0', "not one line: %s", result->err);
    ck_assert_str_eq(result->out, "");
    ck_assert(!work_file_exists("o.npy"));
    ck_assert(!work_file_exists("lse.npy"));
}

/* How far an output may be off, by storage: the short types round O itself. */
static double tolerance(sqa_dtype dtype)
{
    static const double most[] = {
        [SQA_DTYPE_F32] = 1e-5, [SQA_DTYPE_F16] = 1e-3, [SQA_DTYPE_BF16] = 8e-3};
    return most[dtype];
}

static sqa_npy read_file(const char *name, uint32_t least_rank, uint32_t most_rank)
{
    const sqa_npy_wish wish = {SQA_NPY_FLOATS, least_rank, most_rank, "of the output"};
    char path[128];
    sqa_npy out = {0};
    file_path(path, name);
    ck_assert_msg(sqa_npy_read(&out, path, &wish) == SQA_OK, "%s", sqa_last_error());
    return out;
}

static sqa_npy read_output(const char *name, uint32_t rank)
{
    return read_file(name, rank, rank);
}

static void check_lse(double value, double reference)
{
    if (isinf(reference))
        ck_assert_double_eq(value, -(double)INFINITY);
    else
        ck_assert_double_eq_tol(value, reference, 1e-5 * (1 + fabs(reference)));
}

/* The rows of one batch entry's head; `first` is where the files have them. */
static void check_head(const run_inputs *in, const sqa_npy *o, const sqa_npy *lse, uint32_t batch,
                       uint32_t head, uint32_t rows, size_t first)
{
    const sqa_attention *p = &in->tensors.problem.of.attention;
    double row[SQA_MAX_HEAD_DIM], row_lse = 0;
    for (uint32_t i = 0; i < rows; i++) {
        sqa_reference_forward_row(p, &in->given, batch, head, i, row, &row_lse);
        for (uint32_t d = 0; d < p->value_dim; d++)
            ck_assert_double_eq_tol((double)o->data[(first + i) * p->value_dim + d], row[d],
                                    tolerance(p->dtype));
        if (p->write_lse)
            check_lse((double)lse->data[first + i], row_lse);
    }
}

void check_outputs(const run_inputs *in)
{
    const sqa_attention *p = &in->tensors.problem.of.attention;
    const bool ragged = p->mask & SQA_MASK_RAGGED;
    const uint32_t queries = ragged ? p->q_total : p->q_length;
    const uint64_t shape[] = {ragged ? 1 : p->batch, p->out_heads, queries, p->value_dim};
    sqa_npy o = read_output("o.npy", 4), lse = {0};
    if (p->write_lse)
        lse = read_output("lse.npy", 3);
    ck_assert_mem_eq(o.shape, shape, sizeof shape);
    ck_assert_int_eq(o.element, p->dtype == SQA_DTYPE_F16 ? SQA_ELEMENT_F16 : SQA_ELEMENT_F32);
    for (uint32_t batch = 0; batch < p->batch; batch++)
        for (uint32_t head = 0; head < p->out_heads; head++) {
            const sqa_sequence at = sqa_reference_sequence(p, &in->given, batch);
            const size_t entry = ragged ? head : (size_t)batch * p->out_heads + head;
            check_head(in, &o, &lse, batch, head, at.q_length, entry * queries + at.q_begin);
        }
    sqa_npy_free(&o);
    sqa_npy_free(&lse);
}

void check_judged(run_inputs *in)
{
    const sqa_operation_entry *entry = sqa_operation_of(&in->tensors.problem);
    sqa_judgement judgement;
    for (uint32_t slot = 0; slot < entry->slot_count; slot++) {
        sqa_host_tensor *tensor = &in->tensors.of[slot];
        sqa_tensor_shape shape;
        char name[32];
        if (sqa_slot_of(entry, slot).use != SQA_SLOT_OUTPUT ||
            !sqa_tensor_shape_of(&in->tensors.problem, slot, &shape))
            continue;
        snprintf(name, sizeof name, "%s.npy", sqa_slot_of(entry, slot).name);
        sqa_npy file = read_file(name, 1, 4);
        ck_assert_uint_eq(file.count, sqa_tensor_extent(&shape));
        memcpy((float *)tensor->data + tensor->guard, file.data, file.count * sizeof(float));
        sqa_npy_free(&file);
    }
    ck_assert_msg(sqa_judge(&in->tensors, true, 1, "", &judgement) == SQA_OK, "%s",
                  sqa_last_error());
    ck_assert_msg(judgement.passed, "%s", judgement.message);
}

const program_result *run_with_folder(const char *command)
{
    char text[2048];
    size_t used = 0;
    for (const char *at = command; *at; at++)
        if (!strncmp(at, "%1$s", 4)) {
            used += (size_t)snprintf(text + used, sizeof text - used, "%s", work_folder);
            at += 3;
        } else {
            text[used++] = *at;
        }
    text[used] = '\0';
    return run_sqa("%s", text);
}
