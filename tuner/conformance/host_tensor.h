/* A strided tensor on the host, inside a buffer whose every other element is a
 * guard: a NaN of a bit pattern of its own. A kernel that reads a guard spoils its
 * result; one that writes a guard is found. Knows nothing of attention. */
#ifndef SQA_TUNER_HOST_TENSOR_H
#define SQA_TUNER_HOST_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reference/random.h"
#include "sqa_cl.h"

/* Quiet NaNs that no arithmetic makes, distinct in every storage type. */
#define SQA_GUARD_BITS UINT32_C(0x7fc5a5a5)  /* around and between a tensor's elements */
#define SQA_POISON_BITS UINT32_C(0x7fcbadad) /* output elements before a run */

typedef struct sqa_host_tensor {
    sqa_dtype dtype; /* of the device buffer; `data` is always f32, and holds only values
                        that the storage type has */
    sqa_strides strides;
    uint32_t batch, heads, length, dim;
    size_t guard;          /* elements before the view, and after it */
    size_t count;          /* elements in all */
    float *data;           /* the view starts at data + guard */
    unsigned char *inside; /* per element: 1 when it belongs to the view */
    cl_mem buffer;         /* of the last upload */
} sqa_host_tensor;

/* Every element, the view's included, starts as a guard. */
sqa_status sqa_host_tensor_create(sqa_host_tensor *out, sqa_dtype dtype, const sqa_strides *strides,
                                  uint32_t batch, uint32_t heads, uint32_t length, uint32_t dim,
                                  size_t guard);
void sqa_host_tensor_free(sqa_host_tensor *tensor);

/* The vector at (batch, head, position). */
float *sqa_host_tensor_at(const sqa_host_tensor *tensor, uint32_t batch, uint32_t head,
                          uint32_t position);

/* Where the view starts, as the oracle wants it. */
const float *sqa_host_tensor_view(const sqa_host_tensor *tensor);

void sqa_host_tensor_fill_random(sqa_host_tensor *tensor, sqa_random *random, float low,
                                 float high);
void sqa_host_tensor_fill(sqa_host_tensor *tensor, float value);
void sqa_host_tensor_poison(sqa_host_tensor *tensor);

/* Replaces the guards of an input: what lies there must not matter. */
void sqa_host_tensor_fill_gaps(sqa_host_tensor *tensor, float value);

/* Makes the device buffer, a copy of `data`; the one of an earlier upload is released. */
sqa_status sqa_host_tensor_upload(sqa_host_tensor *tensor, cl_context context);

/* Reads the device buffer back into `data`. */
sqa_status sqa_host_tensor_download(sqa_host_tensor *tensor, cl_command_queue queue);

/* Whether the device buffer still is `data`, bit for bit. */
sqa_status sqa_host_tensor_unchanged(const sqa_host_tensor *tensor, cl_command_queue queue,
                                     bool *out);

/* The first element outside the view that is no guard any more, or inside it and
 * still poison; counted from the view's start. false: none. */
bool sqa_host_tensor_broken_guard(const sqa_host_tensor *tensor, int64_t *where);
bool sqa_host_tensor_unwritten(const sqa_host_tensor *tensor, int64_t *where);

#endif
