/* sqa run of an operation that is computed by kernels of its own, whose tensors are files and whose
 * other numbers are keys of its shape: by a table, since nothing else sets one apart from another.
 */
#ifndef SQA_TUNER_RUN_FORM_H
#define SQA_TUNER_RUN_FORM_H

#include <stdbool.h>

#include "base/text.h"
#include "cli/run/how.h"
#include "operations/operation.h"
#include "text/npy.h"

/* A tensor's file. */
typedef struct sqa_form_file {
    const char *option, *meaning;
    uint32_t slot;
    const char *axes;       /* of "bhnd", outermost first: a size each of sqa_tensor_shape */
    uint32_t least_rank;    /* so many have to be there, the last ones */
    const char *dimensions; /* the same for errors, such as "(N, D)" */
    sqa_npy_kind kind;
    bool is_written, is_optional;
    bool is_f32;       /* whatever other tensors are stored as */
    bool in_folder;    /* a file of that name in the folder of --weights, optional: where it is */
    bool folds;        /* its rows are those of one matrix, or any that are as many together */
    const char *key;   /* flag of the shape where the file is given; NULL: none */
    const char *part;  /* word of the shape's key "wanted" where it is; NULL: there is none */
    const char *needs; /* as in sqa_option */
} sqa_form_file;

/* An option that is a key of the shape. */
typedef struct sqa_form_key {
    const char *option, *key;
    const char *also, *means; /* another name of a value, and that; NULL: none */
    const char *beside;       /* a key that the sizes bring and without which this one is none, as
                                 "name=VALUE" of any value; NULL: it needs no other */
} sqa_form_key;
/* Of the same name. */
#define SQA_FORM_KEY(name)                                                                         \
    {                                                                                              \
        .option = (name), .key = (name)                                                            \
    }
#define SQA_FORM_ACTIVATION                                                                        \
    {                                                                                              \
        .option = "activation", .key = "act", .also = "gelu", .means = "gelu_erf"                  \
    }

enum { SQA_FORM_FILES = 15, SQA_FORM_KEYS = 8 };

typedef struct sqa_form_run sqa_form_run;

typedef struct sqa_form {
    const char *name;    /* of --op, and of the operation */
    const char *summary; /* of --help */
    const char *folder;  /* what --weights means; NULL: there is none */
    /* Up to one without an option; sizes are of the first. One that is written may have the slot
     * of one that is read, before it: then it is that, updated. */
    sqa_form_file files[SQA_FORM_FILES];
    sqa_form_key keys[SQA_FORM_KEYS]; /* likewise */
    /* Appends the keys of all sizes; NULL: sqa_form_sizes(). */
    void (*sizes)(const sqa_form_run *run, sqa_text *shape);
    /* What options must have in common; NULL: nothing. */
    sqa_status (*check)(const sqa_form_run *run);
    /* What files must hold beyond their shapes; NULL: anything will do. */
    sqa_status (*inspect)(const sqa_form_run *run);
} sqa_form;

struct sqa_form_run {
    const sqa_form *form;
    const char *op, *folder, *paths[SQA_FORM_FILES], *values[SQA_FORM_KEYS];
    sqa_text in_folder[SQA_FORM_FILES]; /* paths */
    bool flags[SQA_FORM_KEYS];
    sqa_run_how how;

    sqa_npy files[SQA_FORM_FILES];
    sqa_problem problem;
    sqa_context *context;
    sqa_plan *plan;
    sqa_output outputs[SQA_FORM_FILES];
};

/* The keys b, heads, n and d as the first file has them: what it forms out is 1. */
void sqa_form_sizes(const sqa_form_run *run, sqa_text *shape);

/* The exit code of the command. */
int sqa_run_form(const sqa_form *form, int argc, char **argv);

#endif
