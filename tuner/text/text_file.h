/* A text that a person wrote, whole: with any line ends, and with the mark that some
 * editors put before it. Pipes are read, too. */
#ifndef SQA_TUNER_TEXT_TEXT_FILE_H
#define SQA_TUNER_TEXT_TEXT_FILE_H

#include "base/status.h"

/* The text with \n for line ends; the caller frees it. `option` is what messages call the
 * path, such as "--shapes".
 * Errors: SQA_INVALID_ARGUMENT for what is not there, no file or no text;
 * SQA_OUT_OF_MEMORY. */
sqa_status sqa_text_file_read(const char *option, const char *path, char **out);

#endif
