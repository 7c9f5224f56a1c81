/* The files of a pattern: read, held against the heads and lengths of Q, K and V, and
 * turned into what the descriptor says of them. Knows files and shapes, nothing of
 * devices; whether the numbers of an index tensor make sense is the library's to say. */
#ifndef SQA_TUNER_RUN_PATTERN_FILES_H
#define SQA_TUNER_RUN_PATTERN_FILES_H

#include "text/command_files.h"
#include "text/npy.h"

/* Reads those that have a path. Free the files also after a failure.
 * Errors: SQA_INVALID_ARGUMENT, one line that names option, file and what was expected. */
sqa_status sqa_pattern_files_read(const char *const paths[SQA_MAX_TENSORS],
                                  sqa_npy files[SQA_MAX_TENSORS], sqa_attention_desc *desc);

/* On standard error, what was done to the numbers of any of them. */
void sqa_pattern_files_note(const char *const paths[SQA_MAX_TENSORS],
                            const sqa_npy files[SQA_MAX_TENSORS]);

/* The options and paths of all of them; the path of one not given is NULL. */
enum { SQA_PATTERN_FILES = 12 };
void sqa_pattern_files_name(const char *const paths[SQA_MAX_TENSORS],
                            sqa_command_file out[SQA_PATTERN_FILES]);

#endif
