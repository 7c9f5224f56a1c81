/* The list of kernel families. Adding one is a line here in registry.c. */
#ifndef SQA_KERNELS_REGISTRY_H
#define SQA_KERNELS_REGISTRY_H

#include "kernels/kernel_family.h"

/* In order of preference where nothing was measured: the first family that
 * supports a problem on a device is its default. The last one of each operation
 * ("naive", "select") supports everything, so a search always ends. */
size_t sqa_family_count(void);
const sqa_kernel_family *sqa_family_at(size_t index);

/* NULL when there is none. */
const sqa_kernel_family *sqa_family_find(sqa_operation operation, const char *name);

/* Appends "rows, tiled, naive": for error messages. */
void sqa_family_names(sqa_operation operation, sqa_text *out);

#endif
