/* How wide what people read may be. */
#ifndef SQA_TUNER_TEXT_TERMINAL_H
#define SQA_TUNER_TEXT_TERMINAL_H

#include <stdio.h>

/* $COLUMNS, else what the terminal says that the stream leads to; 0: any. */
int sqa_terminal_columns(FILE *stream);

#endif
