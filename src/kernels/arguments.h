/* A kernel's argument list as data: one table that prints the OpenCL C parameter list and
 * fills the launch, so that the two cannot differ. */
#ifndef SQA_KERNELS_ARGUMENTS_H
#define SQA_KERNELS_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "kernels/launch.h"

typedef enum sqa_argument_type {
    SQA_TYPE_READ,      /* a tensor that is read: NAME_buffer and, in elements or, where those are
                           quantised, in bytes, NAME_offset */
    SQA_TYPE_WRITTEN,   /* one that is written, likewise */
    SQA_TYPE_READ_HERE, /* both, where one may lie on the other */
    SQA_TYPE_WRITTEN_HERE,
    SQA_TYPE_WORKSPACE,  /* a pointer to the workspace, or to what is packed: NAME */
    SQA_TYPE_STRIDES,    /* three long: NAME_batch, NAME_head, NAME_row */
    SQA_TYPE_STRIDES_OF, /* those of the slot's tensor, counted as its offset */
    SQA_TYPE_INT,        /* from an int32_t or a uint32_t that an int holds */
    SQA_TYPE_LONG,
    SQA_TYPE_FLOAT
} sqa_argument_type;

/* Where a value is: in the problem, or in the struct of values that the family hands over. */
typedef enum sqa_argument_source { SQA_FROM_PROBLEM, SQA_FROM_VALUES } sqa_argument_source;

typedef struct sqa_argument_row {
    const char *name;
    sqa_argument_type type;
    const char *element; /* of tensors, in OpenCL C; of the workspace with its "*" */
    uint32_t slot;       /* of tensors, and of the workspace */
    bool (*when)(const sqa_problem *problem); /* NULL: always */
    sqa_argument_source from;
    size_t offset; /* of the value there */
} sqa_argument_row;

/* Rows begin with these, for tables that stay one line a row. */
#define SQA_READ(name, type, of) #name, SQA_TYPE_READ, .element = type, .slot = of
#define SQA_WRITTEN(name, type, of) #name, SQA_TYPE_WRITTEN, .element = type, .slot = of
#define SQA_READ_HERE(name, type, of) #name, SQA_TYPE_READ_HERE, .element = type, .slot = of
#define SQA_WRITTEN_HERE(name, type, of) #name, SQA_TYPE_WRITTEN_HERE, .element = type, .slot = of
#define SQA_STRIDES_OF(name, of) #name, SQA_TYPE_STRIDES_OF, .slot = of
#define SQA_WORKSPACE(pointer)                                                                     \
    "workspace", SQA_TYPE_WORKSPACE, .element = pointer, .slot = SQA_SLOT_WORKSPACE
#define SQA_PACKED(pointer)                                                                        \
    "packed", SQA_TYPE_WORKSPACE, .element = pointer, .slot = SQA_SLOT_PACKED
#define SQA_IN_PROBLEM(member) .from = SQA_FROM_PROBLEM, .offset = offsetof(sqa_problem, of.member)
#define SQA_IN_VALUES(type, member) .from = SQA_FROM_VALUES, .offset = offsetof(type, member)

/* Appends "#define <macro> <parameters>". `tables`: each ended by a row without a name, NULL
 * ends the list. */
void sqa_arguments_print(sqa_text *out, const char *macro, const sqa_argument_row *const *tables,
                         const sqa_problem *problem);

/* Gives the step its arguments. `values` may be NULL where no row is from there. Failing
 * memory is the launch's to tell (sqa_launch_status). */
void sqa_arguments_fill(sqa_launch *launch, sqa_launch_step *step,
                        const sqa_argument_row *const *tables, const sqa_problem *problem,
                        const void *values);

#endif
