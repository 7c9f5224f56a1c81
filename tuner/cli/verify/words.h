/* The options of `sqa verify` as typed, and what they ask for. Starts nothing. */
#ifndef SQA_TUNER_VERIFY_WORDS_H
#define SQA_TUNER_VERIFY_WORDS_H

#include "cli/options.h"
#include "operations/tuner_operation.h"

enum { SQA_VERIFY_MOST_CONFIGS = 32 }; /* picked at random */

typedef struct sqa_verify_words {
    /* As typed. */
    const char *device, *operation_name, *family, *set, *dtype, *shape, *layout, *property, *log;
    bool tiny, quick, full, patterns, json;
    uint64_t seed;
    uint32_t configs;
    /* As read. */
    unsigned platform_index, device_index;
    sqa_grid_size size;
    sqa_operation operation;
    bool all_operations; /* nothing says which */
    const sqa_property *only_property;
    sqa_problem only_case;
    sqa_dtype only_dtype; /* when `dtype` or `shape` names one */
} sqa_verify_words;

/* Fills the members as read. Errors: SQA_INVALID_ARGUMENT, naming the option. */
sqa_status sqa_verify_words_read(sqa_verify_words *words);

#endif
