/* One check: run a plan on random data and hold it against the oracle.
 *
 * Buffers are padded with NaN guard bands that must stay intact, outputs are
 * poisoned with NaN so that an unwritten element is found, and tolerances are
 * those promised to users (relative RMS 2e-6, max 1e-5 of max|V|, LSE 1e-6
 * absolute or 1e-5 relative for f32). */
#ifndef SQA_TUNER_CHECK_H
#define SQA_TUNER_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "sqa_cl.h"

typedef struct sqa_check_result {
    bool passed;
    double rms_error;  /* relative */
    double max_error;  /* over max |V| */
    double lse_error;  /* absolute; 0 without LSE */
    char message[256]; /* what failed, "" when passed */
} sqa_check_result;

/* Checks `desc` with the kernel that `options` choose. `sampled_rows` of the
 * output rows are compared with the oracle (first, last and random ones; 0: all);
 * poison and guards are checked everywhere. A wrong result is SQA_OK with
 * passed == false; other statuses mean that the check could not be made. */
sqa_status sqa_check_forward(sqa_context *context, cl_command_queue queue,
                             const sqa_attention_desc *desc, const sqa_plan_options *options,
                             uint64_t seed, uint32_t sampled_rows, sqa_check_result *out);

#endif
