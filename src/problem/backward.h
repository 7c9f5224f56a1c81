/* A backward pass: a forward pass and which of its gradients are asked for, from descriptor
 * and options (include/sqa_cl/backward.h). */
#ifndef SQA_PROBLEM_BACKWARD_H
#define SQA_PROBLEM_BACKWARD_H

#include "problem/attention.h"
#include "sqa_cl/backward.h"

#define SQA_GRADIENTS_OF_SCORES (SQA_GRADIENT_BIAS | SQA_GRADIENT_SINKS | SQA_GRADIENT_SLOPES)

typedef struct sqa_backward_pass {
    sqa_attention attention; /* with write_lse: LSE is there to be read */
    uint32_t gradients;      /* sqa_gradient bits */
    uint32_t accumulate;
    sqa_strides dout, dq, dk, dv, dbias; /* of gradients that are not asked for: 0 */
} sqa_backward_pass;

/* Fills *out, padding too. Errors: SQA_INVALID_ARGUMENT, naming the field. */
sqa_status sqa_backward_from_desc(sqa_backward_pass *out, const sqa_attention_desc *desc,
                                  const sqa_backward_options *backward);

/* Descriptor and options that give this pass again; strides that are there without being asked
 * for are left out. */
void sqa_backward_to_desc(const sqa_backward_pass *pass, sqa_attention_desc *desc,
                          sqa_backward_options *backward);

/* Packed gradients of packed tensors: after the attention has changed. */
void sqa_backward_pack(sqa_backward_pass *pass);

#endif
