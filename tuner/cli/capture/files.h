/* Which files `sqa capture` reads and which of its folder it writes. */
#ifndef SQA_TUNER_CAPTURE_FILES_H
#define SQA_TUNER_CAPTURE_FILES_H

#include "cli/tune/words.h"

/* Whether none is both. The folder is there by now. `profile` may be NULL; `add`: the words
 * of --add.
 * Errors: SQA_INVALID_ARGUMENT, SQA_OUT_OF_MEMORY. */
sqa_status sqa_capture_check_files(const char *folder, const sqa_tune_words *words,
                                   const char *profile, const sqa_option_list *add);

#endif
