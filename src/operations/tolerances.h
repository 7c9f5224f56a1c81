/* Promises that operations have in common, as rows of their tables of tolerances: of a slot, for
 * each way to store it, relative to the largest of a slot. */
#ifndef SQA_OPERATIONS_TOLERANCES_H
#define SQA_OPERATIONS_TOLERANCES_H

#include "operations/operation.h"

#define SQA_TOLERANCE(slot, element, by_rms, by_max, of)                                           \
    {                                                                                              \
        slot, SQA_ELEMENT_##element, .rms = by_rms, .max = by_max, .max_of = of                    \
    }

/* Of outputs f16 and bf16 cost at most twice what rounding the reference's to 11 or 8 bits does,
 * 2^-11 or 2^-8 of a value at most, about 0.38 of that in the root mean square; */
#define SQA_OUTPUT_TOLERANCES(slot, f32_rms, f32_max, of)                                          \
    SQA_TOLERANCE(slot, F32, f32_rms, f32_max, of), SQA_TOLERANCE(slot, F16, 3.7e-4, 9.8e-4, of),  \
        SQA_TOLERANCE(slot, BF16, 3.0e-3, 7.9e-3, of)

/* of gradients three times. */
#define SQA_GRADIENT_TOLERANCES(slot)                                                              \
    SQA_TOLERANCE(slot, F32, 1e-5, 1e-4, slot), SQA_TOLERANCE(slot, F16, 5.6e-4, 1.5e-3, slot),    \
        SQA_TOLERANCE(slot, BF16, 4.5e-3, 1.2e-2, slot)

#endif
