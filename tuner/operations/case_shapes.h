/* Cases of a grid as shapes. */
#ifndef SQA_TUNER_CASE_SHAPES_H
#define SQA_TUNER_CASE_SHAPES_H

#include "operations/tuner_operation.h"

typedef struct sqa_case_shape {
    sqa_grid_size least; /* the smallest grid that has it */
    const char *shape;   /* without the operation; with a storage it is of that alone; NULL: end */
} sqa_case_shape;

/* Appends the shapes of a grid, of the operation that `operation` ("op=NAME") says.
 * Errors: SQA_OUT_OF_MEMORY; those of a shape that is none. */
sqa_status sqa_case_shapes_list(const sqa_case_shape *shapes, const char *operation,
                                sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out);

/* Shapes that people mean by a name. */
typedef struct sqa_named_shape {
    const char *name; /* NULL ends a table */
    const char *shape;
} sqa_named_shape;

/* Appends those of a name. Errors: SQA_OUT_OF_MEMORY; those of a shape that is none. */
sqa_status sqa_named_shapes_list(const sqa_named_shape *shapes, const char *name,
                                 sqa_case_list *out);

/* A shape that is one, with this storage. */
sqa_problem sqa_case_shape_problem(const char *shape, sqa_dtype dtype);

#endif
