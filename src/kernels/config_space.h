/* Exact enumeration of the valid configurations of a family for a problem on a
 * device. Invalid ones are never produced, so a search never has to penalise. */
#ifndef SQA_KERNELS_CONFIG_SPACE_H
#define SQA_KERNELS_CONFIG_SPACE_H

#include "base/hash.h"
#include "kernels/kernel_family.h"

typedef struct sqa_config_space {
    const sqa_kernel_family *family;
    const sqa_problem *problem; /* borrowed */
    const sqa_device *device;   /* borrowed */
    sqa_config *configs;        /* all valid ones, in lexicographic order of parameter values */
    size_t count;
} sqa_config_space;

/* Lists them; none at all (family does not support the problem) is no error.
 * Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_config_space_create(sqa_config_space *out, const sqa_kernel_family *family,
                                   const sqa_problem *problem, const sqa_device *device);
void sqa_config_space_free(sqa_config_space *space);

/* Position of `config`, or SIZE_MAX. */
size_t sqa_config_space_find(const sqa_config_space *space, const sqa_config *config);

/* A digest of what a family's configurations are taken from: its parameters, their values
 * and what they mean (space_version). A winner was the best of the candidates there were;
 * where the digest is another by now, there may be better ones. Empty when memory ran out. */
void sqa_candidates_digest(const sqa_kernel_family *family, char out[SQA_HASH_TEXT]);

/* Whether the digest is the family's of today; an unknown one, "", is not. */
bool sqa_candidates_are_current(const sqa_kernel_family *family, const char *digest);

#endif
