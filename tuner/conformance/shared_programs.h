/* Fewer programs for many cases: those that one program can do share it, with the default
 * configuration of the first of them, though the family would pick others for some. */
#ifndef SQA_TUNER_SHARED_PROGRAMS_H
#define SQA_TUNER_SHARED_PROGRAMS_H

#include "kernels/kernel_family.h"

enum { SQA_SHARED_PROGRAMS = 128 };

/* Start from one that is all zero. */
typedef struct sqa_shared_programs {
    struct {
        char config[SQA_CONFIG_TEXT];
        uint64_t source; /* its hash */
    } of[SQA_SHARED_PROGRAMS];
    size_t count;
} sqa_shared_programs;

/* The configuration for a problem that the family supports; lives as long as *shared. NULL
 * where there is no room: the default. */
const char *sqa_shared_config(sqa_shared_programs *shared, const sqa_kernel_family *family,
                              const sqa_device *device, const sqa_problem *problem);

#endif
