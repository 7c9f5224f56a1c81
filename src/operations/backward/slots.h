/* The tensors of backward attention, by slots that the operation and its stages share; those
 * of attention come first. */
#ifndef SQA_OPERATIONS_BACKWARD_SLOTS_H
#define SQA_OPERATIONS_BACKWARD_SLOTS_H

#include "operations/attention/slots.h"
#include "sqa_cl/backward.h"

enum {
    SQA_SLOT_DOUT = SQA_ATTENTION_SLOTS,
    SQA_SLOT_DQ,
    SQA_SLOT_DK,
    SQA_SLOT_DV,
    SQA_SLOT_DBIAS,
    SQA_SLOT_DSINKS,
    SQA_SLOT_DSLOPES,
    SQA_SLOT_DELTA, /* rowsum(dO * O), as LSE is laid out; between the stages */
    SQA_BACKWARD_SLOTS
};

/* What stages take: the caller's tensors, and what lies between them. */
typedef struct sqa_backward_stage_tensors {
    sqa_backward_tensors callers;
    sqa_tensor delta;
    cl_mem workspace;
} sqa_backward_stage_tensors;

#define SQA_BACKWARD_TENSORS                                                                       \
    {                                                                                              \
        SQA_BACKWARD_TENSORS_VERSION, offsetof(sqa_backward_tensors, workspace)                    \
    }
#define SQA_BACKWARD_STAGE_TENSORS                                                                 \
    {                                                                                              \
        SQA_BACKWARD_TENSORS_VERSION, offsetof(sqa_backward_stage_tensors, workspace)              \
    }

/* What rows of slot tables begin with. */
#define SQA_BACKWARD_SLOT(tensor, how)                                                             \
    .name = #tensor, .use = how, .member = offsetof(sqa_backward_tensors, tensor)
#define SQA_BACKWARD_DELTA(how)                                                                    \
    .name = "delta", .use = how, .member = offsetof(sqa_backward_stage_tensors, delta)

/* Inputs of everybody who computes P; where gradients are added to, they hold numbers of their
 * own size. */
#define SQA_BACKWARD_INPUT_SLOTS                                                                   \
    [SQA_SLOT_Q] = {SQA_BACKWARD_SLOT(q, SQA_SLOT_INPUT), SQA_UNIT_INPUT},                         \
    [SQA_SLOT_K] = {SQA_BACKWARD_SLOT(k, SQA_SLOT_INPUT), SQA_UNIT_INPUT},                         \
    [SQA_SLOT_V] = {SQA_BACKWARD_SLOT(v, SQA_SLOT_INPUT), SQA_UNIT_INPUT},                         \
    [SQA_SLOT_LSE] = {SQA_BACKWARD_SLOT(lse, SQA_SLOT_INPUT), .fill = sqa_fill_lse},               \
    [SQA_SLOT_BIAS] = {SQA_BACKWARD_SLOT(bias, SQA_SLOT_INPUT), SQA_UNIT_INPUT},                   \
    [SQA_SLOT_MASK] = {SQA_BACKWARD_SLOT(mask, SQA_SLOT_INPUT), .fill = sqa_fill_mask},            \
    [SQA_SLOT_KEY_MASK] = {SQA_BACKWARD_SLOT(key_mask, SQA_SLOT_INPUT), .fill = sqa_fill_mask},    \
    [SQA_SLOT_SLOPES] = {SQA_BACKWARD_SLOT(slopes, SQA_SLOT_INPUT), .low = 0.0f, .high = 0.5f},    \
    [SQA_SLOT_GLOBALS] = {SQA_BACKWARD_SLOT(globals, SQA_SLOT_INPUT), .fill = sqa_fill_globals},   \
    [SQA_SLOT_BLOCK_OFFSETS] = {SQA_BACKWARD_SLOT(block_offsets, SQA_SLOT_INPUT),                  \
                                .fill = sqa_fill_block_offsets},                                   \
    [SQA_SLOT_BLOCK_INDICES] = {SQA_BACKWARD_SLOT(block_indices, SQA_SLOT_INPUT),                  \
                                .fill = sqa_fill_block_indices},                                   \
    [SQA_SLOT_CU_SEQLENS_Q] = {SQA_BACKWARD_SLOT(cu_seqlens_q, SQA_SLOT_INPUT),                    \
                               .fill = sqa_fill_q_starts},                                         \
    [SQA_SLOT_CU_SEQLENS_KV] = {SQA_BACKWARD_SLOT(cu_seqlens_kv, SQA_SLOT_INPUT),                  \
                                .fill = sqa_fill_kv_starts},                                       \
    [SQA_SLOT_DROPOUT_SEED] = {SQA_BACKWARD_SLOT(dropout_seed, SQA_SLOT_INPUT),                    \
                               .fill = sqa_fill_seed},                                             \
    [SQA_SLOT_DOUT] = {SQA_BACKWARD_SLOT(dout, SQA_SLOT_INPUT), SQA_UNIT_INPUT}

#define SQA_BACKWARD_CORE_SLOTS                                                                    \
    [SQA_SLOT_DQ] = {SQA_BACKWARD_SLOT(dq, SQA_SLOT_OUTPUT), SQA_UNIT_INPUT},                      \
    [SQA_SLOT_DK] = {SQA_BACKWARD_SLOT(dk, SQA_SLOT_OUTPUT), SQA_UNIT_INPUT},                      \
    [SQA_SLOT_DV] = {SQA_BACKWARD_SLOT(dv, SQA_SLOT_OUTPUT), SQA_UNIT_INPUT}

#define SQA_BACKWARD_SCORE_SLOTS                                                                   \
    [SQA_SLOT_SINKS] = {SQA_BACKWARD_SLOT(sinks, SQA_SLOT_INPUT), .low = -2.0f, .high = 2.0f},     \
    [SQA_SLOT_DBIAS] = {SQA_BACKWARD_SLOT(dbias, SQA_SLOT_OUTPUT), SQA_UNIT_INPUT},                \
    [SQA_SLOT_DSINKS] = {SQA_BACKWARD_SLOT(dsinks, SQA_SLOT_OUTPUT), SQA_UNIT_INPUT},              \
    [SQA_SLOT_DSLOPES] = {SQA_BACKWARD_SLOT(dslopes, SQA_SLOT_OUTPUT), SQA_UNIT_INPUT}

/* About the logarithm of the keys that a row sees by position, so that weights add up to
 * about 1; -infinity where it sees none, and here and there besides. */
sqa_slot_fill sqa_fill_lse;

/* Of a backward pass, whatever the operation: see sqa_operation_entry. */
bool sqa_backward_tensor(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out);
bool sqa_backward_is_touched(const sqa_problem *problem, uint32_t slot);
bool sqa_backward_is_updated(const sqa_problem *problem, uint32_t slot);
void sqa_backward_relative(const sqa_problem *problem, sqa_relative which, sqa_problem *out);

/* Matrix products of all pairs that are seen, by the gradients that are asked for. */
double sqa_backward_core_flop(const sqa_problem *problem);
double sqa_backward_scores_flop(const sqa_problem *problem);
double sqa_backward_delta_flop(const sqa_problem *problem);

/* The rows that the reference has of all gradients, of dQ, dK and dV, of the others. */
extern const sqa_row_group sqa_backward_groups[], sqa_backward_core_groups[],
    sqa_backward_score_groups[];

/* What is promised of gradients. */
enum { SQA_BACKWARD_TOLERANCES = 14 };
extern const sqa_tolerance sqa_backward_tolerances[SQA_BACKWARD_TOLERANCES];

/* The parts of the key of a class: those of attention, which gradients, and how many output
 * heads read a query head. */
extern const sqa_class_part sqa_backward_class_parts[];

#endif
