/* Configurations: one value for each parameter of a kernel family. */
#ifndef SQA_KERNELS_CONFIG_H
#define SQA_KERNELS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define SQA_MAX_PARAMETERS 16
#define SQA_MAX_VALUES 12
#define SQA_CONFIG_TEXT 256 /* bytes a configuration's text needs at most, with its zero */

/* A tunable parameter, as data. `name` is also the macro the kernel sees. */
typedef struct sqa_parameter {
    const char *name;
    const char *meaning;
    int32_t values[SQA_MAX_VALUES]; /* allowed, ascending */
    size_t value_count;
} sqa_parameter;

/* Values in the order of the family's parameters; the rest zero. */
typedef struct sqa_config {
    int32_t value[SQA_MAX_PARAMETERS];
} sqa_config;

struct sqa_kernel_family;

/* "NAME=value,..." in the family's order, the form kept in the database. */
void sqa_config_format(const struct sqa_kernel_family *family, const sqa_config *config,
                       char text[SQA_CONFIG_TEXT]);

/* Reads that form over *config: parameters not named keep their value.
 * Errors: SQA_INVALID_ARGUMENT naming the parameter and its allowed values. */
sqa_status sqa_config_parse(const struct sqa_kernel_family *family, const char *text,
                            sqa_config *config);

bool sqa_config_equal(const sqa_config *a, const sqa_config *b);

#endif
