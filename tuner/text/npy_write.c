/* Writes .npy files, version 1.0. */
#include <stdio.h>

#include "problem/storage.h"
#include "text/npy.h"

/* The data starts at a multiple of 64 bytes, as the format asks for. */
enum { PREAMBLE = 10, ALIGNMENT = 64 };

static void write_header(FILE *file, const sqa_npy *tensor)
{
    char shape[SQA_NPY_MAX_RANK * 24], header[SQA_NPY_MAX_RANK * 24 + 128];
    sqa_npy_shape_text(tensor, shape, sizeof shape);
    int length =
        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }",
                 tensor->element == SQA_ELEMENT_F16 ? "<f2" : "<f4", shape);
    int total = (PREAMBLE + length + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    int padded = total - PREAMBLE;
    unsigned char preamble[PREAMBLE] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
    preamble[8] = (unsigned char)(padded & 0xff);
    preamble[9] = (unsigned char)(padded >> 8);
    fwrite(preamble, 1, sizeof preamble, file);
    fprintf(file, "%s%*s\n", header, padded - length - 1, "");
}

void sqa_npy_write(FILE *file, const sqa_npy *tensor)
{
    enum { CHUNK = 4096 };
    float stored[CHUNK]; /* aligned for every type */
    size_t element = (size_t)sqa_element_bytes(tensor->element, 1);
    write_header(file, tensor);
    for (size_t start = 0; start < tensor->count && !ferror(file); start += CHUNK) {
        size_t count = tensor->count - start < CHUNK ? tensor->count - start : CHUNK;
        sqa_storage_encode((sqa_dtype)tensor->element, tensor->data + start, stored, count);
        sqa_npy_turn_bytes(stored, count, element);
        fwrite(stored, element, count, file);
    }
}
