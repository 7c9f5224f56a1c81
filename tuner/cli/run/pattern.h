/* The options of `sqa run` that say which keys a query sees and what becomes of its
 * scores: their words, the files some of them name, and the index tensors made from
 * those. Everything that can be checked without a device is, by _read. */
#ifndef SQA_TUNER_RUN_PATTERN_H
#define SQA_TUNER_RUN_PATTERN_H

#include "cli/options.h"
#include "sqa_cl.h"
#include "text/npy.h"

typedef struct sqa_run_pattern {
    bool causal;
    const char *align, *globals, *alibi;
    sqa_window window;
    float softcap; /* 0: none */
    float dropout; /* 0: none */
    uint64_t dropout_seed;
    uint32_t block_queries, block_keys; /* 0: no blocks */
    sqa_select_options select;          /* top_k 0: the blocks are listed in files */
    const char *lists;                  /* for what the device makes lists */
    const char *paths[SQA_MAX_TENSORS]; /* files, by slot; NULL: not given */
    sqa_npy files[SQA_MAX_TENSORS];
    cl_mem indices[SQA_MAX_TENSORS]; /* index tensors on the device */
} sqa_run_pattern;

enum { SQA_RUN_PATTERN_OPTIONS = 23 };

#define SQA_RUN_PATTERN_INIT                                                                       \
    {                                                                                              \
        .window = {-1, -1}, .select = SQA_SELECT_OPTIONS_INIT                                      \
    }

/* The rows of the option table, which write to *pattern. */
void sqa_run_pattern_options(sqa_run_pattern *pattern, sqa_option out[SQA_RUN_PATTERN_OPTIONS]);

/* Sets the pattern of *desc, whose heads and lengths are those of Q, K and V; those
 * of a ragged batch become the number of sequences and the longest lengths. *out is the
 * problem then: forward attention, or that to blocks which the device selects.
 * Errors: SQA_INVALID_ARGUMENT, naming the option, its file and what was expected. */
sqa_status sqa_run_pattern_read(sqa_run_pattern *pattern, sqa_attention_desc *desc,
                                sqa_problem *out);

/* Makes the index tensors, which *pattern keeps.
 * Errors: those of include/sqa_cl/index.h, with the option. */
sqa_status sqa_run_pattern_upload(sqa_run_pattern *pattern, sqa_context *context,
                                  const sqa_attention_desc *desc);

/* Also after a failure. */
void sqa_run_pattern_free(sqa_run_pattern *pattern);

#endif
