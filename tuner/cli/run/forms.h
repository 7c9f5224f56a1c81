/* The operations of form.h: products of matrices; what goes row by row or element by element, and
 * the gradients of that; parts of attention into one. */
#ifndef SQA_TUNER_RUN_FORMS_H
#define SQA_TUNER_RUN_FORMS_H

#include "cli/run/form.h"

extern const sqa_form sqa_form_matmul, sqa_form_rope, sqa_form_norm, sqa_form_norm_backward,
    sqa_form_activation, sqa_form_activation_backward, sqa_form_merge, sqa_form_mla_layer;

#endif
