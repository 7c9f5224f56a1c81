/* The stages of multi-head latent attention, in both forms. */
#include "operations/recipe.h"

#include "operations/attention/slots.h"
#include "operations/kv_append/slots.h"
#include "operations/matmul/fields.h"
#include "operations/matmul/slots.h"
#include "operations/mla/slots.h"
#include "operations/norm/fields.h"
#include "operations/norm/slots.h"
#include "operations/rope/fields.h"
#include "operations/rope/slots.h"

/* A recipe in the making; once a stage has failed, no problem is made. */
typedef struct maker {
    const sqa_mla_pass *mla;
    sqa_recipe *recipe;
    uint32_t rows, batch, length; /* a ragged batch counts as one sequence */
    uint32_t heads, latent, query;
    sqa_status status;
} maker;

static sqa_link callers(uint32_t slot)
{
    return (sqa_link){(int16_t)slot, 0};
}

static sqa_link part_of(sqa_link link, uint64_t offset)
{
    link.offset += offset;
    return link;
}

static sqa_link add_matrix(maker *self, uint32_t columns)
{
    const sqa_tensor_shape shape = {(sqa_element)self->mla->dtype,
                                    {(int64_t)self->rows * columns, 0, columns},
                                    1,
                                    1,
                                    self->rows,
                                    columns};
    return sqa_recipe_add_scratch(self->recipe, &shape);
}

static sqa_matmul_desc product_of(const maker *self, uint32_t n, uint32_t k)
{
    sqa_matmul_desc desc = SQA_MATMUL_DESC_INIT;
    desc.dtype = self->mla->dtype;
    desc.m = self->rows;
    desc.n = n;
    desc.k = k;
    return desc;
}

/* One for each head, of columns of A, B and C that lie side by side. */
static sqa_matmul_desc product_of_heads(const maker *self, uint32_t n, uint32_t k)
{
    sqa_matmul_desc desc = product_of(self, n, k);
    desc.batch = self->heads;
    return desc;
}

static sqa_matrix_strides columns_of(const maker *self, uint32_t columns)
{
    return (sqa_matrix_strides){columns, (int64_t)self->heads * columns};
}

static void add_product(maker *self, const sqa_matmul_desc *desc, sqa_link a, sqa_link b,
                        sqa_link c)
{
    sqa_stage *stage = sqa_recipe_add_stage(self->recipe);
    stage->links[SQA_SLOT_MATRIX_A] = a;
    stage->links[SQA_SLOT_MATRIX_B] = b;
    stage->links[SQA_SLOT_MATRIX_C] = c;
    if (self->status == SQA_OK)
        self->status = sqa_problem_from_matmul(&stage->problem, desc);
}

/* The first `dim` of so many columns, where they are. */
static void add_norm(maker *self, sqa_link x, uint32_t dim, uint32_t columns, uint32_t weight)
{
    sqa_norm_desc desc = SQA_NORM_DESC_INIT;
    sqa_stage *stage = sqa_recipe_add_stage(self->recipe);
    desc.dtype = self->mla->dtype;
    desc.length = self->rows;
    desc.dim = dim;
    desc.eps = self->mla->norm_eps;
    desc.x = desc.y = (sqa_strides){0, 0, columns};
    stage->links[SQA_SLOT_NORM_X] = stage->links[SQA_SLOT_NORM_Y] = x;
    stage->links[SQA_SLOT_NORM_WEIGHT] = callers(weight);
    if (self->status == SQA_OK)
        self->status = sqa_problem_from_norm(&stage->problem, &desc);
}

/* Of each head, `head` elements from one to the next; with 0 all have the same. */
static sqa_strides rows_of(const maker *self, uint32_t head, uint32_t row)
{
    return (sqa_strides){(int64_t)self->length * row, head, row};
}

static void add_rope(maker *self, sqa_link x, sqa_strides x_strides, sqa_link y,
                     sqa_strides y_strides)
{
    const sqa_mla_pass *mla = self->mla;
    sqa_rope_desc desc = SQA_ROPE_DESC_INIT;
    sqa_stage *stage = sqa_recipe_add_stage(self->recipe);
    desc.dtype = mla->dtype;
    desc.batch = self->batch;
    desc.heads = self->heads;
    desc.length = self->length;
    desc.dim = mla->rope_dim;
    desc.pairs = mla->pairs;
    desc.base = mla->rope_base;
    desc.positions = mla->ragged || sqa_mla_has_cache(mla) ? 2 : 0;
    desc.sequences = mla->ragged ? mla->batch : 0;
    desc.x = x_strides;
    desc.y = y_strides;
    stage->links[SQA_SLOT_ROPE_X] = x;
    stage->links[SQA_SLOT_ROPE_Y] = y;
    stage->links[SQA_SLOT_POSITIONS] = callers(SQA_MLA_KV_LENGTHS);
    stage->links[SQA_SLOT_ROPE_STARTS] = callers(SQA_MLA_CU_SEQLENS);
    if (self->status == SQA_OK)
        self->status = sqa_problem_from_rope(&stage->problem, &desc);
}

static sqa_strides cache_strides(const maker *self)
{
    const int64_t page = (int64_t)self->mla->paged.page_size * self->latent;
    return (sqa_strides){page, page, self->latent};
}

/* To kv_append a latent's part that is turned is a key, and the other one the value. */
static void add_append(maker *self, sqa_link latent)
{
    const sqa_mla_pass *mla = self->mla;
    const uint32_t rank = mla->kv_lora_rank;
    sqa_kv_append_desc desc = SQA_KV_APPEND_DESC_INIT;
    sqa_stage *stage = sqa_recipe_add_stage(self->recipe);
    desc.dtype = mla->dtype;
    desc.kv_dtype = (int32_t)mla->kv_dtype;
    desc.batch = mla->batch;
    desc.kv_heads = 1;
    desc.length = mla->length;
    desc.head_dim = desc.rotary = mla->rope_dim;
    desc.value_dim = rank;
    desc.capacity = mla->capacity;
    desc.paged = mla->paged;
    desc.ragged = mla->ragged;
    desc.total = mla->total;
    desc.pairs = mla->pairs;
    desc.base = mla->rope_base;
    desc.at_end = 1;
    desc.k = desc.v = rows_of(self, self->latent, self->latent);
    desc.k_cache = desc.v_cache = cache_strides(self);
    stage->links[SQA_SLOT_NEW_K] = part_of(latent, rank);
    stage->links[SQA_SLOT_NEW_V] = latent;
    stage->links[SQA_SLOT_TOKEN_POSITIONS] = callers(SQA_MLA_KV_LENGTHS);
    stage->links[SQA_SLOT_TOKEN_TABLE] = callers(SQA_MLA_BLOCK_TABLE);
    stage->links[SQA_SLOT_TOKEN_STARTS] = callers(SQA_MLA_CU_SEQLENS);
    stage->links[SQA_SLOT_K_CACHE] = part_of(callers(SQA_MLA_CACHE), rank);
    stage->links[SQA_SLOT_V_CACHE] = callers(SQA_MLA_CACHE);
    if (self->status == SQA_OK)
        self->status = sqa_problem_from_kv_append(&stage->problem, &desc);
}

static sqa_attention_desc attention_of(const maker *self)
{
    const sqa_mla_pass *mla = self->mla;
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.dtype = mla->dtype;
    desc.batch = mla->batch;
    desc.q_heads = desc.kv_heads = self->heads;
    desc.q_length = desc.kv_length = mla->length;
    desc.scale = mla->scale;
    desc.causal = SQA_CAUSAL_BOTTOM_RIGHT;
    desc.ragged = (sqa_ragged){mla->ragged, mla->total, mla->total};
    return desc;
}

static void add_attention(maker *self, const sqa_attention_desc *desc, sqa_link q, sqa_link k,
                          sqa_link v, sqa_link o)
{
    sqa_stage *stage = sqa_recipe_add_stage(self->recipe);
    stage->links[SQA_SLOT_Q] = q;
    stage->links[SQA_SLOT_K] = k;
    stage->links[SQA_SLOT_V] = v;
    stage->links[SQA_SLOT_O] = o;
    stage->links[SQA_SLOT_CU_SEQLENS_Q] = callers(SQA_MLA_CU_SEQLENS);
    stage->links[SQA_SLOT_CU_SEQLENS_KV] = callers(SQA_MLA_CU_SEQLENS);
    stage->links[SQA_SLOT_BLOCK_TABLE] = callers(SQA_MLA_BLOCK_TABLE);
    stage->links[SQA_SLOT_KV_LENGTHS] = callers(SQA_MLA_KV_LENGTHS);
    if (self->status == SQA_OK)
        self->status = sqa_problem_from_desc(&stage->problem, desc);
}

/* [q_nope | q_rope] of all heads. */
static sqa_link add_queries(maker *self)
{
    const sqa_mla_pass *mla = self->mla;
    const uint32_t rank = mla->q_lora_rank;
    sqa_link from = callers(SQA_MLA_X);
    if (rank) {
        const sqa_matmul_desc down = product_of(self, rank, mla->d_model);
        const sqa_link latent = add_matrix(self, rank);
        add_product(self, &down, from, callers(SQA_MLA_WDQ), latent);
        add_norm(self, latent, rank, rank, SQA_MLA_Q_NORM);
        from = latent;
    }
    const sqa_matmul_desc up =
        product_of(self, self->heads * self->query, rank ? rank : mla->d_model);
    const sqa_link q = add_matrix(self, self->heads * self->query);
    add_product(self, &up, from, callers(SQA_MLA_WUQ), q);
    return q;
}

/* [C | r] of all rows: the second part is not turned yet. */
static sqa_link add_latents(maker *self)
{
    const sqa_matmul_desc down = product_of(self, self->latent, self->mla->d_model);
    const sqa_link latent = add_matrix(self, self->latent);
    add_product(self, &down, callers(SQA_MLA_X), callers(SQA_MLA_WDKV), latent);
    add_norm(self, latent, self->mla->kv_lora_rank, self->latent, SQA_MLA_KV_NORM);
    return latent;
}

static void add_absorbed(maker *self, sqa_link q, sqa_link o)
{
    const sqa_mla_pass *mla = self->mla;
    const uint32_t rank = mla->kv_lora_rank, heads = self->heads;
    const sqa_link absorbed = add_matrix(self, heads * self->latent);
    const sqa_link seen = add_matrix(self, heads * rank);
    sqa_matmul_desc before = product_of_heads(self, rank, mla->nope_dim);
    sqa_matmul_desc after = product_of_heads(self, mla->value_dim, rank);
    sqa_attention_desc attention = attention_of(self);
    before.transpose_b = 1;
    before.a = columns_of(self, self->query);
    before.b = columns_of(self, mla->nope_dim);
    before.c = columns_of(self, self->latent);
    add_product(self, &before, q, callers(SQA_MLA_WUK), absorbed);
    add_rope(self, part_of(q, mla->nope_dim), rows_of(self, self->query, heads * self->query),
             part_of(absorbed, rank), rows_of(self, self->latent, heads * self->latent));
    attention.kv_dtype = (int32_t)mla->kv_dtype;
    attention.kv_heads = 1;
    attention.head_dim = self->latent;
    attention.value_dim = rank;
    attention.kv_length = mla->capacity;
    attention.paged = mla->paged;
    attention.q = rows_of(self, self->latent, heads * self->latent);
    attention.k = attention.v = cache_strides(self);
    attention.o = rows_of(self, rank, heads * rank);
    add_attention(self, &attention, absorbed, callers(SQA_MLA_CACHE), callers(SQA_MLA_CACHE), seen);
    after.a = columns_of(self, rank);
    after.b = after.c = columns_of(self, mla->value_dim);
    add_product(self, &after, seen, callers(SQA_MLA_WUV), o);
}

static void add_in_full(maker *self, sqa_link q, sqa_link latent, sqa_link o)
{
    const sqa_mla_pass *mla = self->mla;
    const uint32_t nope = mla->nope_dim, heads = self->heads;
    const sqa_strides rows = rows_of(self, self->query, heads * self->query);
    const sqa_link k = add_matrix(self, heads * self->query);
    const sqa_link v = add_matrix(self, heads * mla->value_dim);
    sqa_matmul_desc to_k = product_of_heads(self, nope, mla->kv_lora_rank);
    sqa_matmul_desc to_v = product_of(self, heads * mla->value_dim, mla->kv_lora_rank);
    sqa_attention_desc attention = attention_of(self);
    to_k.a = (sqa_matrix_strides){0, self->latent};
    to_k.b = columns_of(self, nope);
    to_k.c = columns_of(self, self->query);
    to_v.a = (sqa_matrix_strides){0, self->latent};
    add_product(self, &to_k, latent, callers(SQA_MLA_WUK), k);
    add_product(self, &to_v, latent, callers(SQA_MLA_WUV), v);
    add_rope(self, part_of(q, nope), rows, part_of(q, nope), rows);
    add_rope(self, part_of(latent, mla->kv_lora_rank), rows_of(self, 0, self->latent),
             part_of(k, nope), rows);
    attention.head_dim = self->query;
    attention.value_dim = mla->value_dim;
    attention.q = attention.k = rows;
    attention.v = attention.o = rows_of(self, mla->value_dim, heads * mla->value_dim);
    add_attention(self, &attention, q, k, v, o);
}

sqa_status sqa_mla_recipe(const sqa_problem *problem, sqa_recipe *out)
{
    const sqa_mla_pass *mla = &problem->of.mla;
    maker self = {mla,
                  out,
                  sqa_mla_rows(mla),
                  mla->ragged ? 1 : mla->batch,
                  mla->ragged ? mla->total : mla->length,
                  mla->heads,
                  sqa_mla_latent(mla),
                  sqa_mla_query(mla),
                  SQA_OK};
    const sqa_link q = add_queries(&self), latent = add_latents(&self);
    const sqa_link o = add_matrix(&self, mla->heads * mla->value_dim);
    const sqa_matmul_desc up = product_of(&self, mla->d_model, mla->heads * mla->value_dim);
    if (sqa_mla_has_cache(mla))
        add_append(&self, latent);
    if (mla->absorbed)
        add_absorbed(&self, q, o);
    else
        add_in_full(&self, q, latent, o);
    add_product(&self, &up, o, callers(SQA_MLA_WO), callers(SQA_MLA_Y));
    return self.status;
}
