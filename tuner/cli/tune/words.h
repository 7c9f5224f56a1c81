/* The words of `sqa tune` and what they amount to. Starts nothing. */
#ifndef SQA_TUNER_TUNE_WORDS_H
#define SQA_TUNER_TUNE_WORDS_H

#include "cli/options.h"
#include "operations/operation.h"
#include "search/session.h"

#define SQA_MAX_PROBLEMS 64 /* at once */

typedef struct sqa_tune_words {
    const char *operation, *preset, *family, *strategy, *database, *log_level;
    const char *record, *record_borrowed, *set, *like;
    const char *budget_trials;
    sqa_tuning_budget budget;
    uint64_t seed;
    uint32_t timeout_s, memory_mib; /* 0: not given */
    uint32_t runs, walkers;
    sqa_option_list devices, shapes, shape_files, replays;
    bool json, csv, retry_failed, probe, dry_run, wide, from_worst;
} sqa_tune_words;

#define SQA_TUNE_WORDS_INIT                                                                        \
    {                                                                                              \
        .seed = 1, .runs = 1000                                                                    \
    }

typedef struct sqa_tune_plan {
    const sqa_operation_entry *operation; /* NULL: any */
    const char *preset; /* that stands in where no problem is asked for; NULL: some is */
    sqa_tuning_options options;
    sqa_problem problems[SQA_MAX_PROBLEMS];
    char database[4096];
} sqa_tune_plan;

/* Fills a zeroed plan, for the first device. Errors: SQA_INVALID_ARGUMENT, naming the option. */
sqa_status sqa_tune_words_read(const sqa_tune_words *words, sqa_tune_plan *plan);

/* "90s", "5m", "1h" or "40t" into a sqa_tuning_budget, as a kind of option. */
#define SQA_TUNE_BUDGET_EXPECTED                                                                   \
    "a time such as 60s, 5m or 1h, or trials such as 40t, more than 0 and at most 1000000"
bool sqa_tune_read_budget(const char *text, void *budget);

/* NULL: the default. Errors: SQA_INVALID_ARGUMENT, naming those there are. */
sqa_status sqa_tune_read_strategy(const char *name, const sqa_strategy **out);

#endif
