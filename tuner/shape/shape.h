/* Shapes as text, the form of --shape and of every listing:
 *
 *   b=1,hq=8,hkv=2,nq=4096,nk=4096,d=64[,dv=64][,scale=0.125][,causal]
 *   [,align=bottom-right|top-left][,lse][,layout=bhsd|bshd][,dtype=f32|f16|bf16]
 *
 * n=N stands for nq=N,nk=N, and variant=xsqa,h=8 for the heads of that variant.
 * Left out: b=1, hkv=hq, nk=nq, d=64, dv=d, the default scale. */
#ifndef SQA_TUNER_SHAPE_H
#define SQA_TUNER_SHAPE_H

#include <stddef.h>

#include "sqa_cl/attention.h"

#define SQA_SHAPE_TEXT 192 /* bytes that any shape's text fits in */

/* Errors: SQA_INVALID_ARGUMENT, naming the key and its range. */
sqa_status sqa_shape_parse(const char *spec, sqa_attention_desc *out);

/* The inverse. Strides that are neither layout are written as "layout=strided",
 * which cannot be read back. */
void sqa_shape_format(const sqa_attention_desc *desc, char *text, size_t size);

#endif
