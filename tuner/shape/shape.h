/* Shapes as text, the form of --shape and of every listing:
 *
 *   b=1,hq=8,hkv=2,nq=4096,nk=4096,d=64[,dv=64][,scale=0.125][,lse]
 *   [,layout=bhsd|bshd][,dtype=f32|f16|bf16] and the pattern's keys:
 *
 *   causal                     no key after the query's own position
 *   align=bottom-right|top-left    where queries stand, with causal and without
 *   window=LEFT:RIGHT          keys before and after the position; -1: all
 *   globals=N | listN          the first N positions see and are seen everywhere, or N of a list
 *   softcap=X
 *   alibi=geometric|slopes     slopes as in the paper, or a tensor of them
 *   bias=TYPE/DIMS             f32, f16 or bf16; packed along those of b, h and q named, repeated
 *   mask=DIMS                  along the others: bias=f32/hq, mask=bhq, mask=
 *   keymask, sinks
 *   blocks=QxK@PART[/LISTS]    block sizes, the part of all key blocks that is listed, and /b, /h
 *                              (/k), /bh (/bk) where batches, (key/value) heads have lists of
 *                              their own
 *   ragged=QTOTAL:KVTOTAL      rows of all sequences; nq and nk are then the longest's
 *
 * n=N stands for nq=N,nk=N, and variant=xsqa,h=8 for the heads of that variant.
 * Left out: b=1, hkv=hq, nk=nq, d=64, dv=d, the default scale, no pattern. */
#ifndef SQA_TUNER_SHAPE_H
#define SQA_TUNER_SHAPE_H

#include <stddef.h>

#include "problem/problem.h"

#define SQA_SHAPE_TEXT 448         /* bytes that any shape's text fits in */
#define SQA_SHAPE_PATTERN_TEXT 320 /* and any pattern's */

/* Errors: SQA_INVALID_ARGUMENT, naming the key and its range. */
sqa_status sqa_shape_parse(const char *spec, sqa_attention_desc *out);

/* The inverse. Strides that have no such name are written as "strided", which cannot
 * be read back. */
void sqa_shape_format(const sqa_attention_desc *desc, char *text, size_t size);

/* The shape of a problem of any operation, in the one form in which the tuning database has
 * it: "op=NAME," in front unless it is forward attention; what is as it would be without its
 * key is left out. What is written is read back as the very same problem, but for strides
 * that have no name: "layout=strided" is read as packed.
 * Errors: SQA_INVALID_ARGUMENT, SQA_UNSUPPORTED, naming the key and its range. */
sqa_status sqa_problem_parse(const char *text, sqa_problem *out);
void sqa_problem_format(const sqa_problem *problem, char *text, size_t size);

/* The pattern's keys alone, such as "causal,window=128:0", "" for none: into a
 * descriptor that has its heads and lengths, and out of one.
 * Errors: SQA_INVALID_ARGUMENT; *desc is then as it was. */
sqa_status sqa_shape_pattern_apply(const char *pattern, sqa_attention_desc *desc);
void sqa_shape_pattern_format(const sqa_attention_desc *desc, char *text, size_t size);

#endif
