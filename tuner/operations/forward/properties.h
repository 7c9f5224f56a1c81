/* What must hold of forward attention whatever the numbers are: checks that need no
 * reference, or that plant values where they must not matter. */
#ifndef SQA_TUNER_PROPERTIES_H
#define SQA_TUNER_PROPERTIES_H

#include "conformance/common_properties.h"
#include "operations/forward/case.h"
#include "operations/tuner_operation.h"

enum { SQA_FORWARD_PROPERTIES = 15 };
extern const sqa_property sqa_forward_properties[SQA_FORWARD_PROPERTIES];

/* Shared by the files the properties are in. */

/* Two cases of the same inputs, to be changed and compared. */
typedef struct sqa_case_pair {
    sqa_host_tensors before, after;
} sqa_case_pair;

sqa_status sqa_case_pair_create(sqa_case_pair *out, const sqa_property_run *run,
                                const sqa_attention_desc *before, const sqa_attention_desc *after);
void sqa_case_pair_free(sqa_case_pair *pair);
sqa_status sqa_case_pair_execute(sqa_case_pair *pair, const sqa_property_run *run,
                                 char message[SQA_FINDING_TEXT]);

/* Values in a row's output: equal bits, or all NaN. */
bool sqa_row_same_bits(const sqa_case_pair *pair, uint32_t batch, uint32_t head, uint32_t row);
bool sqa_row_all_nan(const sqa_host_tensors *test, uint32_t batch, uint32_t head, uint32_t row);

/* NaN and infinity in everything that no query sees change no bit; NaN in a key
 * reaches the rows that see it, and those only: for any problem. */
sqa_property_check sqa_pattern_hides;

/* The properties, by file. */
/* property_values.c: algebra */
sqa_property_check sqa_property_ones, sqa_property_permuted_keys, sqa_property_shifted_logits,
    sqa_property_repeated_heads;
/* property_hiding.c: what a mask or a length hides, and what it does not */
sqa_property_check sqa_property_hidden_values, sqa_property_visible_nan,
    sqa_property_weightless_nan;
/* property_dropout.c: what is dropped */
sqa_property_check sqa_property_dropout;
/* property_numbers.c: numbers as large and as small as they come */
sqa_property_check sqa_property_numbers;
/* property_edges.c: sizes */
sqa_property_check sqa_property_lengths_apart, sqa_property_long_rows, sqa_property_nothing_to_see;

#endif
