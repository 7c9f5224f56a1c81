/* Texts with macros and conditions of all kinds, at random. */
#ifndef SQA_TESTS_THINNING_TEXTS_H
#define SQA_TESTS_THINNING_TEXTS_H

#include "base/random.h"
#include "base/text.h"

/* Names that the texts ask for and never define; U0 ... U3 */
#define ELSEWHERE_COUNT 4

/* Appends a text that every preprocessor takes. */
void append_random_text(sqa_text *out, sqa_random *random);

#endif
