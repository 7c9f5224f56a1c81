/* Sweeps: every configuration of one family's space for one shape, and what each
 * was measured to take. Strategies are judged by replaying them (replay.h).
 *
 * A sweep is a file of JSON lines: a header with the shape, the device, the family
 * and its parameters, then one line per configuration, in the order of the space.
 * It says all there is to know: to read one takes neither a device nor a family
 * that still looks as it did. */
#ifndef SQA_TUNER_SWEEP_H
#define SQA_TUNER_SWEEP_H

#include "device/device.h"
#include "kernels/config_space.h"
#include "trial/protocol.h"

/* One configuration's line. */
typedef struct sqa_sweep_point {
    sqa_trial_status status;
    double relative; /* time over the yardstick's; NaN without one */
    double relative_spread;
    double median_ms, spread_ms;
} sqa_sweep_point;

typedef struct sqa_sweep {
    char shape[192];
    char device[256];         /* "amd/haswell/epyc-2cu pocl 3.1" */
    sqa_config_space space;   /* of `family`; without problem and device */
    sqa_sweep_point *points;  /* one per configuration */
    double best;              /* the lowest cost */
    sqa_kernel_family family; /* name, space version and parameters; it computes nothing */
    sqa_parameter parameters[SQA_MAX_PARAMETERS];
    char names[SQA_MAX_PARAMETERS + 1][SQA_FAMILY_NAME]; /* the parameters', then the family's */
} sqa_sweep;

/* Reads a complete sweep. `out` points into itself: it must stay where it is.
 * Errors: SQA_INVALID_ARGUMENT, naming file and line; SQA_OUT_OF_MEMORY. */
sqa_status sqa_sweep_read(sqa_sweep *out, const char *file);
void sqa_sweep_free(sqa_sweep *sweep);

/* What a search would be told: INFINITY for a failure; else relative time, or bare
 * milliseconds where the sweep has no yardstick. */
double sqa_sweep_cost(const sqa_sweep *sweep, size_t config);

/* The header's line, without newline. `count`: configurations in all. */
sqa_status sqa_sweep_header(const char *shape, const sqa_device *device,
                            const sqa_kernel_family *family, size_t count, sqa_text *out);

/* The line of one configuration, without newline. */
void sqa_sweep_line(const sqa_kernel_family *family, const sqa_config *config,
                    const sqa_trial_result *result, sqa_text *out);

/* Narrows a family's parameters to the values named in `set`, "NAME=V|V2,NAME2=V":
 * `parameters` gets its table, then narrowed.
 * Errors: SQA_INVALID_ARGUMENT, naming the parameter and its values. */
sqa_status sqa_sweep_narrow(const sqa_kernel_family *family, const char *set,
                            sqa_parameter parameters[SQA_MAX_PARAMETERS]);

#endif
