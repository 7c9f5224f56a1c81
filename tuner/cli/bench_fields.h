/* The fields of a row of `sqa bench`, one table for JSON and CSV alike. */
#ifndef SQA_TUNER_BENCH_FIELDS_H
#define SQA_TUNER_BENCH_FIELDS_H

#include "cli/bench_view.h"

typedef enum sqa_bench_type {
    SQA_BENCH_TEXT,
    SQA_BENCH_INTEGER,
    SQA_BENCH_NUMBER,
    SQA_BENCH_BOOLEAN
} sqa_bench_type;

typedef struct sqa_bench_value {
    const char *name;
    sqa_bench_type type;
    const char *text;
    uint32_t integer;
    double number; /* NaN: unknown */
    bool boolean;
} sqa_bench_value;

/* Field `index` of a row, counted over those that this view has; false after the
 * last. `row` may be NULL: the name alone is set. */
bool sqa_bench_field(const sqa_bench_view *view, const sqa_bench_row *row, size_t index,
                     sqa_bench_value *out);

#endif
