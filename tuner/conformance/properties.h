/* What must hold whatever the numbers are: checks that need no oracle, or that
 * plant values where they must not matter. */
#ifndef SQA_TUNER_PROPERTIES_H
#define SQA_TUNER_PROPERTIES_H

#include <stddef.h>

#include "conformance/forward_case.h"

typedef struct sqa_property_run {
    sqa_context *context;
    cl_command_queue queue;
    const sqa_plan_options *options; /* the kernel under test */
    uint64_t seed;
    bool small; /* sizes for an interpreter */
} sqa_property_run;

typedef struct sqa_property {
    const char *name;
    const char *promise; /* one line for people */
    /* The causal mask it works with; sqa_property_desc() turns it into a problem. */
    sqa_causal causal;
    /* A broken promise is SQA_OK with a message; "" when it is kept. */
    sqa_status (*check)(const sqa_property_run *run, const sqa_attention_desc *desc,
                        char message[SQA_CASE_MESSAGE]);
} sqa_property;

extern const sqa_property sqa_properties[];
extern const size_t sqa_property_count;

/* The problem a property is checked on: few programs, awkward sizes, gaps. */
sqa_attention_desc sqa_property_desc(const sqa_property *property, bool small);

/* Shared by the files the properties are in. */

/* Makes a plan for the case and runs it. */
sqa_status sqa_property_execute(const sqa_property_run *run, const sqa_attention_desc *desc,
                                sqa_forward_case *test, char message[SQA_CASE_MESSAGE]);

/* Two cases of the same inputs, to be changed and compared. */
typedef struct sqa_case_pair {
    sqa_forward_case before, after;
} sqa_case_pair;

sqa_status sqa_case_pair_create(sqa_case_pair *out, const sqa_property_run *run,
                                const sqa_attention_desc *before, const sqa_attention_desc *after);
void sqa_case_pair_free(sqa_case_pair *pair);
sqa_status sqa_case_pair_execute(sqa_case_pair *pair, const sqa_property_run *run,
                                 const sqa_attention_desc *before, const sqa_attention_desc *after,
                                 char message[SQA_CASE_MESSAGE]);

/* Values in a row's output: equal bits, or all NaN. */
bool sqa_row_same_bits(const sqa_case_pair *pair, uint32_t batch, uint32_t head, uint32_t row);
bool sqa_row_all_nan(const sqa_forward_case *test, uint32_t batch, uint32_t head, uint32_t row);

/* NaN and infinity in everything that no query sees change no bit; NaN in a key
 * reaches the rows that see it, and those only: for any descriptor. */
sqa_status sqa_pattern_hides(const sqa_property_run *run, const sqa_attention_desc *desc,
                             char message[SQA_CASE_MESSAGE]);

/* The properties, by file. */
typedef sqa_status sqa_property_check(const sqa_property_run *run, const sqa_attention_desc *desc,
                                      char message[SQA_CASE_MESSAGE]);
/* property_values.c: algebra */
sqa_property_check sqa_property_ones, sqa_property_permuted_keys, sqa_property_shifted_logits,
    sqa_property_repeated_heads;
/* property_hiding.c: what a mask or a length hides, and what it does not */
sqa_property_check sqa_property_hidden_values, sqa_property_gap_values, sqa_property_visible_nan;
/* property_edges.c: sizes and repetition */
sqa_property_check sqa_property_lengths_apart, sqa_property_long_rows, sqa_property_nothing_to_see,
    sqa_property_determinism;

#endif
