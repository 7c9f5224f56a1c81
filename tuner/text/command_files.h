/* The files of one command: none that it writes may be one that it reads, or that it
 * writes as something else, whatever they are called. */
#ifndef SQA_TUNER_TEXT_COMMAND_FILES_H
#define SQA_TUNER_TEXT_COMMAND_FILES_H

#include <stddef.h>

#include "base/status.h"

typedef enum sqa_file_use {
    SQA_FILE_READ = 0,
    SQA_FILE_WRITTEN,
    SQA_FILE_PRINTED /* standard output, with what the command has to say */
} sqa_file_use;

typedef struct sqa_command_file {
    const char *option; /* what messages call it, such as "--out" */
    const char *path;   /* NULL: not given, unless PRINTED */
    sqa_file_use use;
} sqa_command_file;

/* To be asked before anything is computed. Also whether there is a place for those that
 * are written. Errors: SQA_INVALID_ARGUMENT. */
sqa_status sqa_command_files_check(const sqa_command_file *files, size_t count);

#endif
