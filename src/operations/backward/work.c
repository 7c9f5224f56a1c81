/* How much work a backward pass is: 2 D operations per product of two vectors, for every pair
 * of a query and a key that it sees. With all gradients and one head dimension that is 2.5
 * times the forward pass. */
#include "operations/attention/work.h"
#include "operations/backward/slots.h"

/* Which products a pair takes. */
static double core_products(const sqa_backward_pass *pass)
{
    const double d = pass->attention.head_dim, dv = pass->attention.value_dim;
    const uint32_t wanted = pass->gradients;
    const bool scores = wanted & (SQA_GRADIENT_Q | SQA_GRADIENT_K);
    return d + (scores ? dv : 0) + (wanted & SQA_GRADIENT_V ? dv : 0) +
           (wanted & SQA_GRADIENT_Q ? d : 0) + (wanted & SQA_GRADIENT_K ? d : 0);
}

double sqa_backward_core_flop(const sqa_problem *problem)
{
    const sqa_backward_pass *pass = &problem->of.backward;
    const uint32_t all = SQA_GRADIENT_Q | SQA_GRADIENT_K | SQA_GRADIENT_V;
    return pass->gradients & all ? 2.0 * core_products(pass) * sqa_attention_pairs(&pass->attention)
                                 : 0.0;
}

double sqa_backward_scores_flop(const sqa_problem *problem)
{
    const sqa_backward_pass *pass = &problem->of.backward;
    const sqa_attention *a = &pass->attention;
    const double rows = (double)a->batch * a->out_heads * a->q_length;
    double flop = 0.0;
    if (pass->gradients & (SQA_GRADIENT_BIAS | SQA_GRADIENT_SLOPES))
        flop += 2.0 * ((double)a->head_dim + a->value_dim) * sqa_attention_pairs(a);
    if (pass->gradients & SQA_GRADIENT_SINKS)
        flop += 2.0 * rows;
    return flop;
}

double sqa_backward_delta_flop(const sqa_problem *problem)
{
    const sqa_attention *a = &problem->of.attention;
    return 2.0 * a->value_dim * a->batch * a->out_heads * a->q_length;
}
