/* The header of a .npy file: text from anyone, so nothing in it is trusted.
 * Knows the format (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html),
 * not what a caller wants in it. */
#ifndef SQA_TUNER_TEXT_NPY_HEADER_H
#define SQA_TUNER_TEXT_NPY_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SQA_NPY_MAX_RANK 32 /* NumPy's own limit, before version 2 */

typedef struct sqa_npy_header {
    char descr[16]; /* "<f4" */
    bool fortran_order;
    uint32_t rank;
    uint64_t shape[SQA_NPY_MAX_RANK];
} sqa_npy_header;

/* Reads "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", padded
 * with blanks. NULL, or a phrase that says what is wrong with it. */
const char *sqa_npy_header_parse(const char *text, size_t length, sqa_npy_header *out);

#endif
