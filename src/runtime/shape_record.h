/* The shapes that a program plans, appended to the file that $SQA_CL_RECORD names: a line
 * each, as sqa_problem_format() says it, for `sqa tune --shapes` to read. No tensor's data. */
#ifndef SQA_RUNTIME_SHAPE_RECORD_H
#define SQA_RUNTIME_SHAPE_RECORD_H

#include "base/log.h"
#include "problem/problem.h"

typedef struct sqa_shape_record {
    char *file; /* NULL: nothing is recorded */
} sqa_shape_record;

/* Asks the environment once. Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_shape_record_open(sqa_shape_record *out);
void sqa_shape_record_close(sqa_shape_record *record);

/* One line, whole whoever else writes to the file. What cannot be written is lost, and the
 * log hears of it: nobody's computation fails. */
void sqa_shape_record_add(const sqa_shape_record *record, const sqa_problem *problem,
                          const sqa_log *log);

#endif
