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

/* A configuration from the words it was stored as: the family's name, the version of
 * its space and the configuration's text. NULL: it can run `problem` on `device`;
 * otherwise why not. */
const char *sqa_family_recall(const char *name, uint32_t space_version, const char *text,
                              const sqa_problem *problem, const sqa_device *device,
                              const sqa_kernel_family **family, sqa_config *config);

/* Appends "rows, tiled, naive": for error messages. */
void sqa_family_names(sqa_operation operation, sqa_text *out);

#endif
