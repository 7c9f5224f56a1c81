/* OpenCL drivers as the loader finds them: files NAME.icd, each with the name of a library
 * in it. The loader passes over those that fail, and says nothing of it. */
#ifndef SQA_TUNER_DRIVERS_H
#define SQA_TUNER_DRIVERS_H

#include <stddef.h>

#include "base/status.h"

/* One that does not load. */
typedef struct sqa_driver_fault {
    char *file;    /* the .icd file, or the library where that is named directly */
    char *library; /* "": the file names none */
    char *why;
} sqa_driver_fault;

typedef struct sqa_drivers {
    char place[4096]; /* where they are looked for */
    size_t count;     /* that were found */
    sqa_driver_fault *faults;
    size_t fault_count;
} sqa_drivers;

#define SQA_DRIVERS_INIT                                                                           \
    {                                                                                              \
        "", 0, NULL, 0                                                                             \
    }

/* Loads every one of them, as the loader does. Free it also after a failure.
 * Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_drivers_try(sqa_drivers *out);
void sqa_drivers_free(sqa_drivers *drivers);

#endif
