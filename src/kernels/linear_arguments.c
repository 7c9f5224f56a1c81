#include "kernels/linear_arguments.h"

#include "operations/linear/slots.h"

/* A condition of a row, on the linear attention `l`. */
#define WHEN(name, condition)                                                                      \
    static bool name(const sqa_problem *problem)                                                   \
    {                                                                                              \
        const sqa_linear *l = &problem->of.linear;                                                 \
        return condition;                                                                          \
    }

WHEN(is_ragged, l->attention.mask &SQA_MASK_RAGGED)
WHEN(has_own_keys, l->attention.mask &SQA_MASK_RAGGED && !l->causal)
WHEN(has_decay, l->decay != SQA_DECAY_NONE)
WHEN(has_token_decay, l->decay >= SQA_DECAY_TOKEN)
WHEN(has_beta, l->delta)
WHEN(is_normalised, l->normalise)
WHEN(reads_state, sqa_linear_starts(l) && l->state != SQA_STATE_IN_PLACE)
WHEN(writes_state, sqa_linear_ends(l))
WHEN(reads_sums, l->normalise &&sqa_linear_starts(l) && l->state != SQA_STATE_IN_PLACE)
WHEN(writes_sums, l->normalise &&sqa_linear_ends(l))

#define STRIDES(name, member) #name, SQA_TYPE_STRIDES, SQA_IN_PROBLEM(linear.member)
#define INT(name, member) #name, SQA_TYPE_INT, SQA_IN_PROBLEM(linear.member)
#define FLOAT(name, member) #name, SQA_TYPE_FLOAT, SQA_IN_PROBLEM(linear.member)

static const sqa_argument_row input_rows[] = {
    {SQA_READ(q, "sqa_stored", SQA_SLOT_Q)},
    {SQA_READ(k, "sqa_stored", SQA_SLOT_K)},
    {SQA_READ(v, "sqa_stored", SQA_SLOT_V)},
    {STRIDES(q, attention.q)},
    {STRIDES(k, attention.k)},
    {STRIDES(v, attention.v)},
    {INT(q_heads, attention.q_heads)},
    {INT(kv_heads, attention.kv_heads)},
    {"group", SQA_TYPE_INT, SQA_IN_VALUES(sqa_linear_values, group)},
    {FLOAT(scale, attention.scale)},
    /* Lengths: a ragged batch's are those of its longest sequence. */
    {INT(q_longest, attention.q_length)},
    {INT(kv_longest, attention.kv_length)},
    {SQA_READ(cu_q, "int", SQA_SLOT_CU_SEQLENS_Q), .when = is_ragged},
    {SQA_READ(cu_kv, "int", SQA_SLOT_CU_SEQLENS_KV), .when = has_own_keys},
    {INT(q_total, attention.q_total), .when = is_ragged},
    {INT(kv_total, attention.kv_total), .when = is_ragged},
    {SQA_READ(decay, "float", SQA_SLOT_DECAY), .when = has_decay},
    {STRIDES(decay, decay_strides), .when = has_token_decay},
    {SQA_READ(beta, "float", SQA_SLOT_BETA), .when = has_beta},
    {STRIDES(beta, beta_strides), .when = has_beta},
    {FLOAT(epsilon, epsilon), .when = is_normalised},
    {SQA_READ(state_in, "float", SQA_SLOT_STATE_IN), .when = reads_state},
    {SQA_READ(sums_in, "float", SQA_SLOT_SUMS_IN), .when = reads_sums},
    {0},
};

static const sqa_argument_row output_rows[] = {
    {SQA_WRITTEN(o, "sqa_stored", SQA_SLOT_O)},
    {STRIDES(o, attention.o)},
    {SQA_WRITTEN(state, "float", SQA_SLOT_STATE), .when = writes_state},
    {SQA_WRITTEN(sums, "float", SQA_SLOT_SUMS), .when = writes_sums},
    {0},
};

WHEN(repeats_queries, l->attention.q_heads < l->attention.out_heads)
WHEN(sums_decay, l->decay == SQA_DECAY_HEAD)
WHEN(starts_with_state, sqa_linear_starts(l))
WHEN(starts_with_sums, l->normalise &&sqa_linear_starts(l))

#define GRADIENT(name) #name, SQA_TYPE_STRIDES, SQA_IN_VALUES(sqa_linear_values, name)
#define PLACE(name) #name, SQA_TYPE_LONG, SQA_IN_VALUES(sqa_linear_values, name)

static const sqa_argument_row gradient_rows[] = {
    {SQA_READ(dout, "sqa_stored", SQA_SLOT_LINEAR_DOUT)},
    {STRIDES(dout, attention.o)},
    {SQA_READ(dstate, "float", SQA_SLOT_LINEAR_DSTATE), .when = writes_state},
    {SQA_READ(dsums, "float", SQA_SLOT_LINEAR_DSUMS), .when = writes_sums},
    {SQA_WRITTEN(dq, "sqa_stored", SQA_SLOT_LINEAR_DQ)},
    {SQA_WRITTEN(dk, "sqa_stored", SQA_SLOT_LINEAR_DK)},
    {SQA_WRITTEN(dv, "sqa_stored", SQA_SLOT_LINEAR_DV)},
    {GRADIENT(dq)},
    {GRADIENT(dk)},
    {GRADIENT(dv)},
    {SQA_WRITTEN(ddecay, "float", SQA_SLOT_DDECAY), .when = has_decay},
    {SQA_WRITTEN(dbeta, "float", SQA_SLOT_DBETA), .when = has_beta},
    {SQA_WRITTEN(dstate_in, "float", SQA_SLOT_DSTATE_IN), .when = starts_with_state},
    {SQA_WRITTEN(dsums_in, "float", SQA_SLOT_DSUMS_IN), .when = starts_with_sums},
    {SQA_WORKSPACE("float *")},
    {PLACE(head_floats)},
    {PLACE(copies_at), .when = repeats_queries},
    {PLACE(decays_at), .when = sums_decay},
    {PLACE(decay_parts), .when = sums_decay},
    {INT(batches, attention.batch), .when = sums_decay},
    {0},
};

const sqa_argument_row *const sqa_linear_tables[] = {input_rows, output_rows, NULL};
const sqa_argument_row *const sqa_linear_backward_tables[] = {input_rows, gradient_rows, NULL};

void sqa_source_linear(sqa_text *out, const sqa_problem *problem,
                       const sqa_argument_row *const *tables)
{
    const sqa_linear *l = &problem->of.linear;
    const struct {
        const char *macro;
        uint32_t value;
    } facts[] = {
        {"SQA_HEAD_DIM", l->attention.head_dim},
        {"SQA_VALUE_DIM", l->attention.value_dim},
        {"SQA_DTYPE", (uint32_t)l->attention.dtype},
        {"SQA_CAUSAL", l->causal},
        {"SQA_RAGGED", is_ragged(problem)},
        {"SQA_FEATURE", (uint32_t)l->feature},
        {"SQA_DECAY", (uint32_t)l->decay},
        {"SQA_DELTA", l->delta},
        {"SQA_NORMALISE", l->normalise},
        {"SQA_COPIES", repeats_queries(problem)},
        {"SQA_STATE_IN", sqa_linear_starts(l)},
        {"SQA_STATE_OUT", sqa_linear_ends(l)},
        {"SQA_STATE_IN_PLACE", l->state == SQA_STATE_IN_PLACE},
    };
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        sqa_text_format(out, "#define %s %u\n", facts[i].macro, facts[i].value);
    sqa_arguments_print(out, "SQA_LINEAR_ARGUMENTS", tables, problem);
    sqa_text_append(out, "\n");
}

static void add_step(const sqa_problem *problem, const char *kernel, uint32_t parts,
                     uint32_t across, uint32_t down, sqa_launch *out)
{
    const sqa_attention *a = &problem->of.attention;
    const sqa_linear_values values = {.group = (int32_t)sqa_attention_group(a)};
    sqa_launch_step *step = sqa_launch_add_step(out, kernel, 3);
    step->global[0] = (size_t)parts * across;
    step->global[1] = (size_t)a->kv_heads * down;
    step->global[2] = a->batch;
    step->local[0] = across;
    step->local[1] = down;
    step->local[2] = 1;
    sqa_arguments_fill(out, step, sqa_linear_tables, problem, &values);
}

/* Sums that are updated in place are read by every work-item of the first step. */
void sqa_linear_launch(const sqa_problem *problem, const char *kernel, uint32_t parts,
                       uint32_t across, uint32_t down, sqa_launch *out)
{
    add_step(problem, kernel, parts, across, down, out);
    if (writes_sums(problem))
        add_step(problem, "sqa_linear_sums", problem->of.attention.head_dim, 1, 1, out);
}

static void add_gradient_step(const sqa_problem *problem, const sqa_linear_values *values,
                              const sqa_linear_step *from, uint32_t heads, uint32_t batch,
                              sqa_launch *out)
{
    if (from->groups == 0 || heads == 0 || batch == 0)
        return;
    sqa_launch_step *step = sqa_launch_add_step(out, from->kernel, 3);
    step->global[0] = (size_t)from->groups * from->across;
    step->global[1] = (size_t)heads * from->down;
    step->global[2] = batch;
    step->local[0] = from->across;
    step->local[1] = from->down;
    step->local[2] = 1;
    sqa_arguments_fill(out, step, sqa_linear_backward_tables, problem, values);
}

void sqa_linear_backward_launch(const sqa_problem *problem, const sqa_linear_step *steps,
                                size_t step_count, uint64_t head_floats, uint32_t decay_parts,
                                sqa_launch *out)
{
    const sqa_linear *l = &problem->of.linear;
    const sqa_attention *a = &l->attention;
    const uint64_t heads = (uint64_t)a->batch * a->kv_heads;
    const uint64_t copied = repeats_queries(problem)
                                ? (uint64_t)a->batch * a->out_heads * a->q_length * a->head_dim
                                : 0;
    const uint64_t sums = sums_decay(problem) ? heads * decay_parts : 0;
    const sqa_linear_step copies = {"sqa_linear_sum_copies", a->q_length, 1, 1};
    const sqa_linear_step decays = {"sqa_linear_sum_decays", 1, 1, 1};
    const sqa_linear_values values = {
        .group = (int32_t)sqa_attention_group(a),
        .dq = sqa_linear_gradient_strides(problem, SQA_SLOT_Q),
        .dk = sqa_linear_gradient_strides(problem, SQA_SLOT_K),
        .dv = sqa_linear_gradient_strides(problem, SQA_SLOT_V),
        .head_floats = (int64_t)head_floats,
        .copies_at = (int64_t)(heads * head_floats),
        .decays_at = (int64_t)(heads * head_floats + copied),
        .decay_parts = decay_parts,
    };
    out->workspace_bytes = (size_t)(heads * head_floats + copied + sums + 1) * sizeof(float);
    for (size_t i = 0; i < step_count; i++)
        add_gradient_step(problem, &values, &steps[i], a->kv_heads, a->batch, out);
    if (repeats_queries(problem))
        add_gradient_step(problem, &values, &copies, a->q_heads, a->batch, out);
    if (sums_decay(problem))
        add_gradient_step(problem, &values, &decays, a->kv_heads, 1, out);
}
