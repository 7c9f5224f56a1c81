/* Arrays in NumPy's file format: C order, little-endian; floats (f4, f2, f8) are f32 in
 * memory, masks (bool, u1) bytes, numbers (i4, i8) 32 bits. Versions 1 and 2 are read,
 * version 1 is written. Errors are one line that names the file and what was expected
 * in it. */
#ifndef SQA_TUNER_TEXT_NPY_H
#define SQA_TUNER_TEXT_NPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "operations/tensors.h"
#include "text/npy_header.h"

typedef struct sqa_npy {
    uint32_t rank;
    uint64_t shape[SQA_NPY_MAX_RANK];
    size_t count;        /* elements */
    sqa_element element; /* SQA_ELEMENT_F32 or _F16; _BYTE; _INT */
    bool rounded;        /* f64 in the file, f32 here */
    union {
        void *memory;
        float *data; /* of both floating-point types */
        uint8_t *bytes;
        int32_t *integers;
    };
} sqa_npy;

/* Kinds of elements that a caller can do with. */
typedef enum sqa_npy_kind {
    SQA_NPY_FLOATS = 0,
    SQA_NPY_BYTES,
    SQA_NPY_INTEGERS /* those that fit 32 bits */
} sqa_npy_kind;

/* What a file must hold. */
typedef struct sqa_npy_wish {
    sqa_npy_kind kind;
    uint32_t least_rank, most_rank;
    const char *dimensions; /* for errors, such as "(B, H, N, D)" */
} sqa_npy_wish;

/* Reads an array; the caller frees it.
 * Errors: SQA_INVALID_ARGUMENT, SQA_OUT_OF_MEMORY. */
sqa_status sqa_npy_read(sqa_npy *out, const char *path, const sqa_npy_wish *wish);
void sqa_npy_free(sqa_npy *tensor);

/* "(2, 8, 128, 64)" */
void sqa_npy_shape_text(const sqa_npy *tensor, char *text, size_t size);

/* Between the host's byte order and the file's, which is little-endian: turns the
 * bytes of each element where those differ. */
void sqa_npy_turn_bytes(void *elements, size_t count, size_t element);

/* Writes one of floats; whether all of it could be written, the stream knows. */
void sqa_npy_write(FILE *file, const sqa_npy *tensor);

#endif
