/* The words of `sqa tune` and what they amount to. Starts nothing. */
#ifndef SQA_TUNER_TUNE_WORDS_H
#define SQA_TUNER_TUNE_WORDS_H

#include "cli/options.h"
#include "cli/tune/presets.h"
#include "search/session.h"

typedef struct sqa_tune_words {
    const char *preset, *family, *budget, *strategy, *seed, *database, *timeout, *patience, *memory;
    const char *log_level;
    const char *record, *set, *like;
    const char *budget_trials, *runs;
    sqa_option_list devices, shapes, shape_files, replays;
    bool json, csv, retry_failed, dry_run;
} sqa_tune_words;

typedef struct sqa_tune_plan {
    sqa_tuning_options options;
    sqa_attention_desc problems[SQA_MAX_PROBLEMS];
    char database[4096];
} sqa_tune_plan;

/* Fills a zeroed plan, for the first device. Errors: SQA_INVALID_ARGUMENT, naming the option. */
sqa_status sqa_tune_words_read(const sqa_tune_words *words, sqa_tune_plan *plan);

/* Single words, for the other ways to call the command. `text` NULL: `otherwise`, and
 * the default strategy. */
sqa_status sqa_tune_read_number(const char *option, const char *text, uint64_t otherwise,
                                uint64_t low, uint64_t high, uint64_t *out);
sqa_status sqa_tune_read_strategy(const char *name, const sqa_strategy **out);

#endif
