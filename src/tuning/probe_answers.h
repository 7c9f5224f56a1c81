/* What probes found out about kernel families on this device with this driver and library; a
 * family that needs a probe says so (kernels/kernel_family.h).
 *
 * The library only reads the answers: a compiler that crashes would take the program with it, and
 * a process of its own is not a library's to start in a program that has threads. `sqa tune`
 * asks. */
#ifndef SQA_TUNING_PROBE_ANSWERS_H
#define SQA_TUNING_PROBE_ANSWERS_H

#include <sqlite3.h>
#include <stddef.h>

#include "device/device.h"
#include "kernels/kernel_family.h"
#include "sqa_cl/status.h"

typedef struct sqa_probe_answer {
    char operation[32], family[32];
    char status[32];   /* "ok": it may be used; else that of the trial that failed */
    char message[256]; /* why it failed */
} sqa_probe_answer;

typedef struct sqa_probe_answers {
    sqa_probe_answer *items; /* of one family the first counts */
    size_t count;
} sqa_probe_answers;

#define SQA_PROBE_ANSWERS_INIT                                                                     \
    {                                                                                              \
        0, 0                                                                                       \
    }

/* Appends what the database says of the device's environment, which an older schema does not.
 * `name` is for errors. */
sqa_status sqa_probe_answers_read(sqa_probe_answers *answers, sqlite3 *database, const char *name,
                                  const sqa_device *device);
void sqa_probe_answers_free(sqa_probe_answers *answers);

enum { SQA_PROBE_WHY = 384 };

/* Whether the family may be used unmeasured; if not, `why` gets a phrase. `answers` may be NULL:
 * no database is asked. */
bool sqa_probe_allows(const sqa_probe_answers *answers, const sqa_kernel_family *family,
                      char why[SQA_PROBE_WHY]);

#endif
