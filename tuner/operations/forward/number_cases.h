/* Inputs and parameters as large and as small as they come, of a forward and of a backward pass. */
#ifndef SQA_TUNER_NUMBER_CASES_H
#define SQA_TUNER_NUMBER_CASES_H

#include "reference/host_tensors.h"

/* Random inputs times these; 0 leaves them as they are. Of sinks and slopes, the first and the
 * last become the factor and its opposite. */
typedef struct sqa_number_case {
    const char *what;    /* in words, for findings */
    const char *pattern; /* as in a shape */
    float scale;         /* 0: the usual */
    float q, k, v, sinks, slopes, bias;
    void (*plant)(sqa_host_tensors *test); /* changes more before a run; NULL: nothing */
    bool subnormal;                        /* not for devices that make zeros of such numbers */

    /* Of a backward pass. */
    float dout;
    uint32_t gradients; /* of dQ, dK and dV, those that are in f32's range; 0: all */
    bool vague;         /* the rounding of LSE is larger than 1, and P from it says nothing */
} sqa_number_case;

enum { SQA_NUMBER_CASES = 36 };
extern const sqa_number_case sqa_number_cases[SQA_NUMBER_CASES];

/* Makes random inputs the case's. */
void sqa_number_case_set(const sqa_number_case *numbers, sqa_host_tensors *test);

/* Sinks and slopes, a number per head: `count` random ones become the case's. */
void sqa_number_case_ends(float *of_heads, uint32_t count, float value);

bool sqa_number_case_runs(const sqa_number_case *numbers, cl_command_queue queue);

#endif
