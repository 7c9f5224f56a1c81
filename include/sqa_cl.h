/* libsqa_cl: attention on any OpenCL device, tuned for the one at hand.
 *
 * The whole public interface. Read the headers in the order below: a context
 * belongs to one device; a descriptor says which attention; a plan holds the
 * kernels chosen for it; sqa_forward() enqueues them.
 *
 * The simplest complete use is sqa_attention_forward(): context, queue,
 * descriptor and buffers in, one event out. */
#ifndef SQA_CL_H
#define SQA_CL_H

#include "sqa_cl/activation.h"
#include "sqa_cl/attention.h"
#include "sqa_cl/backward.h"
#include "sqa_cl/block.h"
#include "sqa_cl/context.h"
#include "sqa_cl/export.h"
#include "sqa_cl/index.h"
#include "sqa_cl/kv_cache.h"
#include "sqa_cl/layer.h"
#include "sqa_cl/linear.h"
#include "sqa_cl/matmul.h"
#include "sqa_cl/merge.h"
#include "sqa_cl/mla.h"
#include "sqa_cl/norm.h"
#include "sqa_cl/pattern.h"
#include "sqa_cl/plan.h"
#include "sqa_cl/rope.h"
#include "sqa_cl/select.h"
#include "sqa_cl/status.h"
#include "sqa_cl/version.h"

#endif
