/* What the tuner and its tests know of an operation beyond the library's own entry
 * (operations/operation.h): the cases and properties it is verified by, and the problems
 * people mean by a name. */
#ifndef SQA_TUNER_TUNER_OPERATION_H
#define SQA_TUNER_TUNER_OPERATION_H

#include "operations/operation.h"
#include "reference/host_tensors.h"
#include "sqa_cl.h"

/* How much is gone through. */
typedef enum sqa_grid_size {
    SQA_GRID_TINY = 0, /* a few small cases: for interpreters and sanitizers */
    SQA_GRID_SAMPLE,   /* those of quick that need few programs: for many configurations */
    SQA_GRID_QUICK,
    SQA_GRID_FULL
} sqa_grid_size;

typedef struct sqa_case_list {
    sqa_problem *cases;
    size_t count;
} sqa_case_list;

/* For the list's maker. Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_case_list_add(sqa_case_list *list, const sqa_problem *problem);
void sqa_case_list_free(sqa_case_list *list);

/* What a check has to run with. */
typedef struct sqa_property_run {
    sqa_context *context;
    cl_command_queue queue;
    const sqa_plan_options *options; /* the kernel under test */
    uint64_t seed;
    bool small; /* sizes for an interpreter */
} sqa_property_run;

/* A broken promise is SQA_OK with a finding; "" when it is kept. */
typedef sqa_status sqa_property_check(const sqa_property_run *run, const sqa_problem *problem,
                                      char finding[SQA_FINDING_TEXT]);

/* Cases of one kind. Problems of one program stand together: compiling costs more than
 * running. */
typedef struct sqa_case_grid {
    const char *name;
    sqa_status (*list)(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out);
    sqa_property_check *also; /* of every case that agrees with the reference; NULL: nothing */
} sqa_case_grid;

/* What must hold whatever the numbers are. */
typedef struct sqa_property {
    const char *name;
    const char *promise; /* one line for people */
    bool few_programs;   /* needs none beyond those of the sample */
    sqa_problem (*problem)(const struct sqa_property *self, bool small, sqa_dtype dtype);
    sqa_property_check *check;
} sqa_property;

#define SQA_PASS_PARTS 4

/* What is timed as one: operations one after the other on the same tensors, each in the slot
 * that has its number, so that what one writes another may read. */
typedef struct sqa_timed_pass {
    const char *name; /* "forward+backward" */
    struct sqa_pass_part {
        const sqa_operation_entry *operation;
        const char *keys; /* of its shape, besides those that all parts share; "" for none */
    } parts[SQA_PASS_PARTS];
    size_t part_count;
    uint32_t queries; /* of variants, where none are asked for; 0: as many as keys */
} sqa_timed_pass;

typedef struct sqa_tuner_operation {
    const sqa_operation_entry *entry; /* the library's own */
    const sqa_case_grid *grids;       /* one without a name ends it */
    const sqa_property *properties;
    size_t property_count;

    /* Sets of problems that people mean by a name: the names, up to NULL, and the problems
     * appended, none for another name; NULL: there are none. */
    const char *const *preset_names;
    sqa_status (*preset)(const char *name, sqa_case_list *out);

    /* What is timed of it besides itself; one without a name ends the list, NULL is none. */
    const sqa_timed_pass *passes;

    /* What a model could have in its place, of the same heads and lengths; NULL: nothing. */
    const sqa_operation_entry *instead_of;

    /* A small problem of everyday dimensions, whose configurations stand for the family's. */
    sqa_problem (*everyday)(bool small, sqa_dtype dtype);

    /* The problem with its tensors laid out as a name says; NULL: there are no names.
     * Errors: SQA_INVALID_ARGUMENT, listing the names. */
    sqa_status (*lay_out)(const char *name, sqa_problem *problem);
} sqa_tuner_operation;

#endif
