/* The kernels behind the ceilings: which variants are worth trying on what kind
 * of device, and how one of them is built and launched. Times nothing. */
#ifndef SQA_TUNER_CEILING_KERNELS_H
#define SQA_TUNER_CEILING_KERNELS_H

#include "base/text.h"
#include "device/device.h"
#include "trial/ceiling.h"

/* One variant, as data. */
typedef struct sqa_ceiling_variant {
    unsigned width;  /* floats per vector */
    unsigned chains; /* per work-item, fma: accumulators, read: places read from at a time */
    unsigned local;  /* work-items per work-group */
    bool stretch;    /* copy, read: one contiguous stretch per work-item */
} sqa_ceiling_variant;

enum { SQA_CEILING_MOST_VARIANTS = 8 };

/* Fills the variants worth trying on the device, best guess first; returns how many. */
size_t sqa_ceiling_variants(sqa_ceiling_kind kind, const sqa_device *device,
                            sqa_ceiling_variant out[SQA_CEILING_MOST_VARIANTS]);

void sqa_ceiling_describe(sqa_ceiling_kind kind, const sqa_ceiling_variant *variant, char *text,
                          size_t size);

/* "fma", "copy" or "read". */
const char *sqa_ceiling_kernel(sqa_ceiling_kind kind);

/* One program with a kernel "fma_<n>", "copy_<n>" or "read_<n>" for each variant. */
void sqa_ceiling_source(sqa_ceiling_kind kind, const sqa_ceiling_variant *variants, size_t count,
                        sqa_text *out);

/* A variant ready to be enqueued. */
typedef struct sqa_ceiling_work {
    cl_kernel kernel;
    size_t global, local;
    double amount; /* floating-point operations or bytes per launch */
} sqa_ceiling_work;

/* Enqueues a sqa_ceiling_work; the form sqa_measure wants. */
sqa_status sqa_ceiling_enqueue(void *work, cl_command_queue queue, cl_event *event);

/* The arguments of a fma variant: 4 * rounds multiply-adds per chain, results to `out`. */
sqa_status sqa_ceiling_set_fma(sqa_ceiling_work *work, const sqa_ceiling_variant *variant,
                               const sqa_device *device, cl_mem out, uint32_t rounds);

/* The arguments of a variant of the other kinds, for all but a last few bytes of the buffers. */
sqa_status sqa_ceiling_set_stream(sqa_ceiling_work *work, sqa_ceiling_kind kind,
                                  const sqa_ceiling_variant *variant, const sqa_device *device,
                                  cl_mem from, cl_mem to, size_t bytes);

/* Bytes that any fma variant's output needs. */
size_t sqa_ceiling_fma_bytes(const sqa_device *device);

#endif
