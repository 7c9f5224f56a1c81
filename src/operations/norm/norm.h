/* What the entries of a normalisation and of its gradients have in common. */
#ifndef SQA_OPERATIONS_NORM_NORM_H
#define SQA_OPERATIONS_NORM_NORM_H

#include "operations/norm/slots.h"
#include "operations/operation.h"

enum { SQA_NORM_TOLERANCES = 12 };
extern const sqa_tolerance sqa_norm_tolerances[SQA_NORM_TOLERANCES];
extern const sqa_class_part sqa_norm_class_parts[], sqa_norm_backward_class_parts[];
extern const sqa_row_group sqa_norm_groups[], sqa_norm_backward_groups[];

#endif
