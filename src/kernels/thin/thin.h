/* Thinning: OpenCL C without what its own definitions leave out.
 *
 * A generated text is every fragment with all that some problem could need, below the
 * #define lines that say what this one has. Thinning decides the conditions (#if, #ifdef,
 * ...) that follow from definitions in the text itself, and drops the branches not taken,
 * macros that nothing uses, comments and runs of blank lines. What depends on the compiler
 * stays. A compiler's preprocessor makes the same tokens of the text before and after.
 *
 * Knows C's preprocessor, not C: unused functions stay. Names that begin with SQA_ are the
 * text's own; any other may be the compiler's, or come by its options. Trigraphs, #include,
 * and lines that are continued in the middle of a token are not for it. */
#ifndef SQA_KERNELS_THIN_H
#define SQA_KERNELS_THIN_H

#include "base/text.h"

/* Appends `head`, whole lines that stay as they are and define what is known, and then
 * what it leaves of `text`. A text whose conditions or comments do not end is appended
 * as it is, for the compiler to complain about. */
void sqa_thin(sqa_text *out, const char *head, const char *text);

#endif
