/* Multi-head latent attention from its definition in include/sqa_cl/mla.h, in full and in fp64
 * whatever the form: by plain loops, all rows at once. Shares no code with any recipe. Nothing is
 * rounded in between, but what attention reads of a cache is as it is stored there. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "operations/matrix_rows.h"
#include "operations/mla/slots.h"
#include "problem/groups.h"
#include "problem/storage.h"

typedef struct reference {
    const sqa_mla_pass *mla;
    const sqa_reference_inputs *inputs;
    double *q, *latent, *y; /* of all rows */
    double *cache;          /* after the call */
} reference;

/* Rows of a sequence, and what it has with them. */
typedef struct sequence {
    uint32_t batch, first, count;
    int64_t length;
} sequence;

static sequence sequence_of(const reference *self, uint32_t batch)
{
    const sqa_mla_pass *m = self->mla;
    const int32_t *starts = self->inputs->by_slot[SQA_MLA_CU_SEQLENS];
    const int32_t *lengths = self->inputs->by_slot[SQA_MLA_KV_LENGTHS];
    const uint32_t first = m->ragged ? (uint32_t)starts[batch] : batch * m->length;
    const uint32_t count = m->ragged ? (uint32_t)starts[batch + 1] - first : m->length;
    return (sequence){batch, first, count,
                      m->ragged || sqa_mla_has_cache(m) ? (int64_t)lengths[batch]
                                                        : (int64_t)m->length};
}

static double weight(const reference *self, uint32_t slot, uint32_t columns, uint32_t row,
                     uint32_t column)
{
    return (double)((const float *)self->inputs->by_slot[slot])[(uint64_t)row * columns + column];
}

/* y = x W of one row. */
static void multiply(const reference *self, const double *x, uint32_t slot, uint32_t rows,
                     uint32_t columns, double *y)
{
    for (uint32_t j = 0; j < columns; j++) {
        y[j] = 0.0;
        for (uint32_t i = 0; i < rows; i++)
            y[j] += x[i] * weight(self, slot, columns, i, j);
    }
}

static void normalise(const reference *self, uint32_t slot, uint32_t count, double *x)
{
    double square = 0.0;
    for (uint32_t i = 0; i < count; i++)
        square += x[i] * x[i] / count;
    for (uint32_t i = 0; i < count; i++)
        x[i] *= weight(self, slot, count, 0, i) / sqrt(square + (double)self->mla->norm_eps);
}

static void turn(const sqa_mla_pass *m, double position, double *x)
{
    const uint32_t pairs = m->rope_dim / 2;
    for (uint32_t i = 0; i < pairs; i++) {
        const double angle = position * pow((double)m->rope_base, -2.0 * i / m->rope_dim);
        double *first = x + (m->pairs == SQA_ROPE_HALF ? i : 2 * i);
        double *second = x + (m->pairs == SQA_ROPE_HALF ? i + pairs : 2 * i + 1);
        const double a = *first, b = *second;
        *first = a * cos(angle) - b * sin(angle);
        *second = a * sin(angle) + b * cos(angle);
    }
}

/* Q and the latent of a row. */
static bool set_row(reference *self, uint32_t row, double position)
{
    const sqa_mla_pass *m = self->mla;
    const uint32_t columns = m->heads * sqa_mla_query(m), rank = m->q_lora_rank;
    double *q = self->q + (uint64_t)row * columns;
    double *latent = self->latent + (uint64_t)row * sqa_mla_latent(m);
    double *x = calloc((size_t)m->d_model + rank, sizeof *x);
    if (!x)
        return false;
    for (uint32_t i = 0; i < m->d_model; i++)
        x[i] = weight(self, SQA_MLA_X, m->d_model, row, i);
    if (rank) {
        multiply(self, x, SQA_MLA_WDQ, m->d_model, rank, x + m->d_model);
        normalise(self, SQA_MLA_Q_NORM, rank, x + m->d_model);
        multiply(self, x + m->d_model, SQA_MLA_WUQ, rank, columns, q);
    } else {
        multiply(self, x, SQA_MLA_WUQ, m->d_model, columns, q);
    }
    for (uint32_t head = 0; head < m->heads; head++)
        turn(m, position, q + head * sqa_mla_query(m) + m->nope_dim);
    multiply(self, x, SQA_MLA_WDKV, m->d_model, sqa_mla_latent(m), latent);
    normalise(self, SQA_MLA_KV_NORM, m->kv_lora_rank, latent);
    turn(m, position, latent + m->kv_lora_rank);
    free(x);
    return true;
}

/* The latent of a token in the cache; NULL: it has no page. */
static double *cached(const reference *self, uint32_t batch, uint32_t token)
{
    const sqa_mla_pass *m = self->mla;
    const int32_t *table = self->inputs->by_slot[SQA_MLA_BLOCK_TABLE];
    const uint32_t size = m->paged.page_size;
    const int32_t page = table[batch * sqa_mla_table_row(m) + token / size];
    return page < 0 || (uint32_t)page >= m->paged.pages
               ? NULL
               : self->cache + ((uint64_t)page * size + token % size) * sqa_mla_latent(m);
}

/* Of what is left of a latent, a group of elements. */
static void keep(sqa_dtype dtype, const double *from, uint32_t left, double *to)
{
    const uint32_t count = left < SQA_GROUP ? left : SQA_GROUP;
    float group[SQA_GROUP];
    for (uint32_t i = 0; i < count; i++)
        group[i] = (float)from[i];
    sqa_storage_round_all(dtype, group, count);
    for (uint32_t i = 0; i < count; i++)
        to[i] = (double)group[i];
}

static void append(reference *self, const sequence *s)
{
    const sqa_mla_pass *m = self->mla;
    const int64_t begin = s->length - s->count;
    if (begin < 0 || s->length > m->capacity)
        return;
    for (uint32_t i = 0; i < s->count; i++) {
        const double *latent = self->latent + (uint64_t)(s->first + i) * sqa_mla_latent(m);
        double *to = cached(self, s->batch, (uint32_t)begin + i);
        for (uint32_t d = 0; to && d < sqa_mla_latent(m); d += SQA_GROUP)
            keep(m->kv_dtype, latent + d, sqa_mla_latent(m) - d, to + d);
    }
}

static double score(const reference *self, const double *q, uint32_t head, const double *latent)
{
    const sqa_mla_pass *m = self->mla;
    double sum = 0.0;
    for (uint32_t d = 0; d < m->nope_dim; d++) {
        double k = 0.0;
        for (uint32_t c = 0; c < m->kv_lora_rank; c++)
            k += latent[c] *
                 weight(self, SQA_MLA_WUK, m->heads * m->nope_dim, c, head * m->nope_dim + d);
        sum += q[d] * k;
    }
    for (uint32_t d = 0; d < m->rope_dim; d++)
        sum += q[m->nope_dim + d] * latent[m->kv_lora_rank + d];
    return sum * (double)m->scale;
}

/* O of a head: values are linear in the latents, so that their mean is taken first. */
static void attend(const reference *self, const sequence *s, uint32_t i, uint32_t head,
                   double *mean, double *o)
{
    const sqa_mla_pass *m = self->mla;
    const double *q = self->q + ((uint64_t)(s->first + i) * m->heads + head) * sqa_mla_query(m);
    const int64_t keys =
        m->absorbed ? (s->length < m->capacity ? s->length : m->capacity) : (int64_t)s->count;
    const int64_t last = m->absorbed ? s->length - s->count + i : (int64_t)i;
    double most = -INFINITY, sum = 0.0;
    for (uint32_t c = 0; c < m->kv_lora_rank; c++)
        mean[c] = 0.0;
    for (int64_t j = 0; j < keys && j <= last; j++) {
        const double *latent = m->absorbed
                                   ? cached(self, s->batch, (uint32_t)j)
                                   : self->latent + (uint64_t)(s->first + j) * sqa_mla_latent(m);
        const double value = score(self, q, head, latent);
        const double more = value > most ? value : most;
        const double kept = exp(most - more), part = exp(value - more);
        sum = sum * kept + part;
        for (uint32_t c = 0; c < m->kv_lora_rank; c++)
            mean[c] = mean[c] * kept + part * latent[c];
        most = more;
    }
    for (uint32_t d = 0; d < m->value_dim; d++) {
        o[d] = 0.0;
        for (uint32_t c = 0; c < m->kv_lora_rank && sum > 0.0; c++)
            o[d] += mean[c] / sum *
                    weight(self, SQA_MLA_WUV, m->heads * m->value_dim, c, head * m->value_dim + d);
    }
}

static bool set_y(reference *self, const sequence *s)
{
    const sqa_mla_pass *m = self->mla;
    const uint32_t columns = m->heads * m->value_dim;
    double *o = calloc((size_t)columns + m->kv_lora_rank, sizeof *o);
    for (uint32_t i = 0; o && i < s->count; i++) {
        for (uint32_t head = 0; head < m->heads; head++)
            attend(self, s, i, head, o + columns, o + head * m->value_dim);
        multiply(self, o, SQA_MLA_WO, columns, m->d_model,
                 self->y + (uint64_t)(s->first + i) * m->d_model);
    }
    free(o);
    return o;
}

static void release(void *prepared)
{
    reference *self = prepared;
    free(self->q);
    free(self->latent);
    free(self->y);
    free(self->cache);
    free(self);
}

static bool compute(reference *self)
{
    const sqa_mla_pass *m = self->mla;
    const size_t rows = sqa_mla_rows(m);
    const size_t tokens = (size_t)m->paged.pages * m->paged.page_size * sqa_mla_latent(m);
    const float *before = self->inputs->by_slot[SQA_MLA_CACHE];
    bool there = true;
    self->q = calloc(rows * m->heads * sqa_mla_query(m) + 1, sizeof *self->q);
    self->latent = calloc(rows * sqa_mla_latent(m) + 1, sizeof *self->latent);
    self->y = calloc(rows * m->d_model + 1, sizeof *self->y);
    self->cache = calloc(tokens + 1, sizeof *self->cache);
    if (!self->q || !self->latent || !self->y || !self->cache)
        return false;
    for (size_t i = 0; i < tokens; i++)
        self->cache[i] = (double)before[i];
    for (uint32_t batch = 0; batch < m->batch; batch++) {
        const sequence s = sequence_of(self, batch);
        for (uint32_t i = 0; there && i < s.count; i++)
            there = set_row(self, s.first + i, (double)(s.length - s.count + i));
        if (sqa_mla_has_cache(m))
            append(self, &s);
    }
    for (uint32_t batch = 0; there && batch < m->batch; batch++) {
        const sequence s = sequence_of(self, batch);
        there = set_y(self, &s);
    }
    return there;
}

static void *prepare(const sqa_problem *problem, const sqa_reference_inputs *inputs)
{
    reference *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->mla = &problem->of.mla;
    self->inputs = inputs;
    if (compute(self))
        return self;
    release(self);
    return NULL;
}

static uint64_t count_y(const sqa_problem *problem)
{
    return sqa_stretch_count(sqa_mla_rows(&problem->of.mla), problem->of.mla.d_model);
}

static bool expect_y(const sqa_problem *problem, const sqa_reference_inputs *inputs, uint64_t row,
                     sqa_expected_row *out)
{
    const reference *self = inputs->prepared;
    const sqa_stretch part = sqa_stretch_at(problem->of.mla.d_model, row);
    out->at[0] = (int64_t)part.row * problem->of.mla.d_model + part.first;
    out->count[0] = part.count;
    for (uint32_t j = 0; j < part.count; j++)
        out->values[0][j] = self->y[out->at[0] + j];
    return true;
}

static void place_y(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])
{
    const sqa_stretch part = sqa_stretch_at(problem->of.mla.d_model, row);
    sqa_stretch_place(&part, 0, out);
}

static uint64_t count_cache(const sqa_problem *problem)
{
    return (uint64_t)problem->of.mla.paged.pages * problem->of.mla.paged.page_size;
}

static bool expect_cache(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                         uint64_t row, sqa_expected_row *out)
{
    const reference *self = inputs->prepared;
    out->count[0] = sqa_mla_latent(&problem->of.mla);
    out->at[0] = (int64_t)row * out->count[0];
    for (uint32_t j = 0; j < out->count[0]; j++)
        out->values[0][j] = self->cache[out->at[0] + j];
    return true;
}

static void place_cache(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])
{
    const uint32_t size = problem->of.mla.paged.page_size;
    snprintf(out, SQA_PLACE_TEXT, "page %u, token %u", (uint32_t)(row / size),
             (uint32_t)(row % size));
}

const sqa_row_group sqa_mla_groups[] = {
    {.slots = {SQA_MLA_Y},
     .slot_count = 1,
     .samples = 64,
     .count = count_y,
     .prepare = prepare,
     .release = release,
     .expect = expect_y,
     .place = place_y},
    {.slots = {SQA_MLA_CACHE},
     .slot_count = 1,
     .samples = 256,
     .count = count_cache,
     .prepare = prepare,
     .release = release,
     .expect = expect_cache,
     .place = place_cache},
    {.slot_count = 0},
};
