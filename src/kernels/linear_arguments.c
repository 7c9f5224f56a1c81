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

typedef struct values {
    int32_t group;
} values;

#define STRIDES(name, member) #name, SQA_TYPE_STRIDES, SQA_IN_PROBLEM(linear.member)
#define INT(name, member) #name, SQA_TYPE_INT, SQA_IN_PROBLEM(linear.member)
#define FLOAT(name, member) #name, SQA_TYPE_FLOAT, SQA_IN_PROBLEM(linear.member)

static const sqa_argument_row rows[] = {
    {SQA_READ(q, "sqa_stored", SQA_SLOT_Q)},
    {SQA_READ(k, "sqa_stored", SQA_SLOT_K)},
    {SQA_READ(v, "sqa_stored", SQA_SLOT_V)},
    {SQA_WRITTEN(o, "sqa_stored", SQA_SLOT_O)},
    {STRIDES(q, attention.q)},
    {STRIDES(k, attention.k)},
    {STRIDES(v, attention.v)},
    {STRIDES(o, attention.o)},
    {INT(q_heads, attention.q_heads)},
    {INT(kv_heads, attention.kv_heads)},
    {"group", SQA_TYPE_INT, SQA_IN_VALUES(values, group)},
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
    {SQA_WRITTEN(state, "float", SQA_SLOT_STATE), .when = writes_state},
    {SQA_READ(sums_in, "float", SQA_SLOT_SUMS_IN), .when = reads_sums},
    {SQA_WRITTEN(sums, "float", SQA_SLOT_SUMS), .when = writes_sums},
    {0},
};

const sqa_argument_row *const sqa_linear_tables[] = {rows, NULL};

void sqa_source_linear(sqa_text *out, const sqa_problem *problem)
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
        {"SQA_STATE_IN", sqa_linear_starts(l)},
        {"SQA_STATE_OUT", sqa_linear_ends(l)},
        {"SQA_STATE_IN_PLACE", l->state == SQA_STATE_IN_PLACE},
    };
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        sqa_text_format(out, "#define %s %u\n", facts[i].macro, facts[i].value);
    sqa_arguments_print(out, "SQA_LINEAR_ARGUMENTS", sqa_linear_tables, problem);
    sqa_text_append(out, "\n");
}

static void add_step(const sqa_problem *problem, const char *kernel, uint32_t parts,
                     sqa_launch *out)
{
    const sqa_attention *a = &problem->of.attention;
    const values own = {(int32_t)sqa_attention_group(a)};
    sqa_launch_step *step = sqa_launch_add_step(out, kernel, 3);
    step->global[0] = parts;
    step->global[1] = a->kv_heads;
    step->global[2] = a->batch;
    step->local[0] = step->local[1] = step->local[2] = 1;
    sqa_arguments_fill(out, step, sqa_linear_tables, problem, &own);
}

/* Sums that are updated in place are read by every work-item of the first step. */
void sqa_linear_launch(const sqa_problem *problem, const char *kernel, uint32_t parts,
                       sqa_launch *out)
{
    add_step(problem, kernel, parts, out);
    if (writes_sums(problem))
        add_step(problem, "sqa_linear_sums", problem->of.attention.head_dim, out);
}
