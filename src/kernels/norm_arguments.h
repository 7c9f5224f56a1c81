/* What the programs of normalisations and their gradients have in common. */
#ifndef SQA_KERNELS_NORM_ARGUMENTS_H
#define SQA_KERNELS_NORM_ARGUMENTS_H

#include "kernels/arguments.h"
#include "kernels/kernel_family.h"

/* How the sums over rows are divided, and where the workspace has what: statistics of every row
 * (mean, scale) if they are kept, then sums of parts, of dWeight and of dBias. */
typedef struct sqa_norm_parts {
    int64_t part_rows; /* of a part */
    int64_t sums_at;   /* elements of f32 */
    double workspace_bytes;
} sqa_norm_parts;

sqa_norm_parts sqa_norm_parts_of(const sqa_normalisation *norm, int32_t parts, bool statistics);

/* Whether a buffer of the device can hold the workspace; if not, *why says so. */
bool sqa_norm_parts_fit(const sqa_norm_parts *parts, const sqa_device *device, const char **why);

extern const sqa_argument_row *const sqa_norm_tables[], *const sqa_norm_backward_tables[];

/* The definitions (SQA_LAYER, SQA_WEIGHT, ...), and SQA_NORM_ARGUMENTS. */
void sqa_source_norm(sqa_text *out, const sqa_problem *problem);

#endif
