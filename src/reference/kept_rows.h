/* What the reference said of the rows of some inputs, kept for the next result that is
 * held against the same: a row costs the reference more than the rest of a check. */
#ifndef SQA_REFERENCE_KEPT_ROWS_H
#define SQA_REFERENCE_KEPT_ROWS_H

#include "base/status.h"
#include "operations/operation.h"

typedef struct sqa_kept_row {
    bool exists; /* as sqa_row_group.expect says */
    int64_t at[SQA_MAX_JUDGED];
    uint32_t count[SQA_MAX_JUDGED];
    double magnitude[SQA_MAX_JUDGED];
    double *values; /* of one output after the other */
} sqa_kept_row;

/* Zero-filled: nothing is kept yet. */
typedef struct sqa_kept_rows {
    sqa_kept_row *rows; /* in the order in which they were judged */
    size_t count;
} sqa_kept_rows;

/* Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_kept_rows_add(sqa_kept_rows *kept, bool exists, const sqa_expected_row *row);

/* Fills *out from row `index`, which must be kept; false: there is no such row. */
bool sqa_kept_rows_get(const sqa_kept_rows *kept, size_t index, sqa_expected_row *out);

void sqa_kept_rows_free(sqa_kept_rows *kept);

#endif
