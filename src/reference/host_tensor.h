/* A strided tensor on the host, and its copy on a device. It may lie among guards, elements
 * of a bit pattern of their own: a kernel that reads one spoils its result, one that writes
 * one is found. Knows nothing of operations. */
#ifndef SQA_REFERENCE_HOST_TENSOR_H
#define SQA_REFERENCE_HOST_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "operations/tensors.h"
#include "sqa_cl/export.h"

/* Quiet NaNs that no arithmetic makes, distinct in every storage type; as int32, negative. */
#define SQA_GUARD_BITS UINT32_C(0xffc5a5a5)  /* around and between a tensor's elements */
#define SQA_POISON_BITS UINT32_C(0xffcbadad) /* output elements before a run */

typedef struct sqa_host_tensor {
    sqa_element element; /* of the device buffer */
    sqa_strides strides;
    uint32_t batch, heads, length, dim;
    size_t guard; /* elements before the view, and after it */
    size_t count; /* elements in all, at least 1 */
    /* Floating-point types: f32, only values that the stored type has. Others as they are. The
     * view starts `guard` elements in. */
    void *data;
    void *before;          /* what `data` is before every run; NULL: poison, of an output */
    unsigned char *inside; /* per element: 1 when it belongs to the view */
    cl_mem buffer;         /* of the last upload */
} sqa_host_tensor;

/* Every element, the view's included, starts as a guard.
 * Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_host_tensor_create(sqa_host_tensor *out, const sqa_tensor_shape *shape,
                                  size_t guard);
void sqa_host_tensor_free(sqa_host_tensor *tensor);

/* Of a floating-point tensor: the vector at (batch, head, position). */
float *sqa_host_tensor_at(const sqa_host_tensor *tensor, uint32_t batch, uint32_t head,
                          uint32_t position);

/* Where the view starts, as the reference wants it; as before the run, where that is kept. */
const void *sqa_host_tensor_view(const sqa_host_tensor *tensor);
const void *sqa_host_tensor_view_before(const sqa_host_tensor *tensor);

/* The element `index` from the view's start of a floating-point tensor. */
float sqa_host_tensor_value(const sqa_host_tensor *tensor, int64_t index);

/* Of floating-point tensors. Random numbers come in order of position, so that they do not
 * depend on the strides. */
void sqa_host_tensor_fill_random(sqa_host_tensor *tensor, sqa_random *random, float low,
                                 float high);
void sqa_host_tensor_fill(sqa_host_tensor *tensor, float value);

/* Every element of the view becomes what `map` makes of it, as stored. */
void sqa_host_tensor_map(sqa_host_tensor *tensor, const sqa_problem *problem,
                         float (*map)(const sqa_problem *problem, float number));

/* Every element of the view times `factor`; what is too large for the stored type becomes the
 * largest there is. */
void sqa_host_tensor_multiply(sqa_host_tensor *tensor, float factor);

/* Makes guards of what is around the view, poison of what is in it. */
void sqa_host_tensor_poison(sqa_host_tensor *tensor);

/* Makes what it holds now what it is before every run. Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_host_tensor_keep(sqa_host_tensor *tensor);

/* Makes an output what it is before a run. */
void sqa_host_tensor_restore(sqa_host_tensor *tensor);

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

/* Of what is in the view of a floating-point tensor. */
bool sqa_host_tensor_has_nan(const sqa_host_tensor *tensor);
double sqa_host_tensor_largest(const sqa_host_tensor *tensor); /* magnitude */

#endif
