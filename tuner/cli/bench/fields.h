/* The fields of a row of `sqa bench`, one table for JSON and CSV alike. */
#ifndef SQA_TUNER_BENCH_FIELDS_H
#define SQA_TUNER_BENCH_FIELDS_H

#include "cli/bench/view.h"
#include "text/field.h"

/* Field `index` of a row, counted over those that this view has; false after the
 * last. `row` may be NULL: the name alone is set. */
bool sqa_bench_field(const sqa_bench_view *view, const sqa_bench_row *row, size_t index,
                     sqa_field *out);

#endif
