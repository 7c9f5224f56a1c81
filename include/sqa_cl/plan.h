/* Plans: the kernels chosen and built for one descriptor, ready to enqueue. */
#ifndef SQA_CL_PLAN_H
#define SQA_CL_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "attention.h"
#include "context.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sqa_plan sqa_plan;

/* How a plan's kernel is chosen. Start from SQA_PLAN_OPTIONS_INIT. */
typedef struct sqa_plan_options {
    uint32_t version;       /* SQA_PLAN_OPTIONS_VERSION */
    const char *family;     /* use this kernel family only; NULL: the best known */
    const char *config;     /* with family: its parameters as "NAME=value,...", those not named keep
                               the family's default; NULL: all default */
    uint32_t skip_database; /* 1: defaults only, whatever the databases say */
} sqa_plan_options;

#define SQA_PLAN_OPTIONS_VERSION 1u
#define SQA_PLAN_OPTIONS_INIT                                                                      \
    {                                                                                              \
        SQA_PLAN_OPTIONS_VERSION, 0, 0, 0u                                                         \
    }

/* Chooses a configuration, compiles it and makes a plan. The descriptor and the
 * options are copied; options may be NULL. The context must outlive the plan.
 * Choice, from the most to the least specific: the options; the tuning databases
 * (the user's before extra ones before the one built in) by device, driver and problem; on a device
 * without an OpenCL compiler what is pre-built for it (sqa_context_options.prebuilt), in the order
 * of the manifest; the kernel family's default; the naive kernel. One that does not
 * build here is passed over for the next, with a warning, unless the options asked for
 * it. A family that needs more of the compiler than OpenCL C promises (matrix units) is chosen
 * unmeasured only where the user's or an extra database has it that a probe found it right on
 * this device, with this driver and library version (`sqa tune --probe`). Without a compiler,
 * SQA_BUILD_FAILED names the key of the program to build.
 * Errors: SQA_INVALID_ARGUMENT, SQA_UNSUPPORTED, SQA_BUILD_FAILED,
 * SQA_OUT_OF_MEMORY, SQA_OPENCL_ERROR. */
SQA_API sqa_status sqa_plan_create(sqa_plan **out, sqa_context *context,
                                   const sqa_attention_desc *desc, const sqa_plan_options *options);

/* Releases the plan; NULL is allowed. Work already enqueued still finishes. The
 * first time a program ran on this machine its binary is kept now (see
 * sqa_context_create()), which takes seconds where the runtime compiles for it. */
SQA_API void sqa_plan_destroy(sqa_plan *plan);

/* Bytes of device memory the plan's kernels need besides the tensors; 0: none. */
SQA_API size_t sqa_plan_workspace_size(const sqa_plan *plan);

/* Why the plan looks as it does. Start from SQA_PLAN_INFO_INIT; the strings live as
 * long as the plan. */
typedef struct sqa_plan_info {
    uint32_t version;   /* SQA_PLAN_INFO_VERSION */
    const char *family; /* kernel family, such as "rows" */
    const char *config; /* its parameters, "NAME=value,..." */
    const char *rung;   /* the rung of the lookup that gave it: "override", "exact",
                           "other-driver", "nearest-size", "architecture", "vendor",
                           "modelled" (never measured: a model's choice), "prebuilt",
                           "default", "naive" */
    const char *source; /* "override", "user-db", "extra-db", "seed-db", "prebuilt" or "default" */
    const char *reason; /* one sentence for people, naming what was passed over and why */
} sqa_plan_info;

#define SQA_PLAN_INFO_VERSION 1u
#define SQA_PLAN_INFO_INIT                                                                         \
    {                                                                                              \
        SQA_PLAN_INFO_VERSION, 0, 0, 0, 0, 0                                                       \
    }

/* Fills *out. Errors: SQA_INVALID_ARGUMENT (NULL, unknown version). */
SQA_API sqa_status sqa_plan_explain(const sqa_plan *plan, sqa_plan_info *out);

/* A tensor inside an OpenCL buffer: its first element is `offset` elements from
 * the buffer's start. */
typedef struct sqa_tensor {
    cl_mem buffer;
    size_t offset;
} sqa_tensor;

/* The tensors of one call, in buffers of the plan's OpenCL context. Start from
 * SQA_TENSORS_INIT.
 *
 * Inputs are only read, and may share memory as they like: Q, K and V in one buffer, one
 * tensor as K and V. What is written (O and LSE, the block lists where they are what is
 * made (select.h), a workspace) must have no element in common with another tensor of the
 * call, by whatever buffers and sub-buffers the two are reached, and whatever rows, heads
 * or batch entries the strides pass over: a call whose views do share one is refused. Views
 * may interleave in one memory as long as they do not, so that O can be further heads of
 * the buffer that has Q, K and V. (That is found out exactly wherever the strides of the
 * two views fit into each other; of views that interleave by unrelated strides, a call
 * may refuse some that meet nowhere.) */
typedef struct sqa_tensors {
    uint32_t version; /* SQA_TENSORS_VERSION */
    sqa_tensor q, k, v;
    sqa_tensor o;
    sqa_tensor lse; /* used only when the descriptor sets write_lse */

    /* Read only where the descriptor says so; see pattern.h for shapes and types. */
    sqa_tensor bias, mask, key_mask;
    sqa_tensor sinks, slopes;
    sqa_tensor globals;
    sqa_tensor block_offsets, block_indices;
    sqa_tensor cu_seqlens_q, cu_seqlens_kv;
    sqa_tensor dropout_seed;

    cl_mem workspace; /* at least sqa_plan_workspace_size() bytes, used by this call alone until
                         it completes; NULL: the plan's own, for which calls wait in turn */

    /* From version 2 on; read only where the descriptor says so, as those above. */
    sqa_tensor block_table, kv_lengths;
} sqa_tensors;

#define SQA_TENSORS_VERSION 2u
#define SQA_TENSORS_INIT                                                                           \
    {                                                                                              \
        SQA_TENSORS_VERSION, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0},       \
            {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, 0, {0, 0},             \
        {                                                                                          \
            0, 0                                                                                   \
        }                                                                                          \
    }

/* Does the first, slow launch now (many OpenCL runtimes compile lazily, 0.2 s to
 * minutes), on small scratch buffers of its own, and waits for it; then keeps the
 * binary for later processes. Optional. */
SQA_API sqa_status sqa_plan_warm_up(sqa_plan *plan, cl_command_queue queue);

/* Enqueues the plan's kernels and returns at once. Waits for the events given;
 * *event (may be NULL) completes when the output is written and belongs to the
 * caller. Nothing is enqueued when an argument is refused. May be called from several
 * threads at once, on queues of the plan's OpenCL context and device.
 * Buffers must be of the plan's OpenCL context, large enough for the descriptor's views,
 * and written views lie apart from all others: this is checked.
 * Errors: SQA_INVALID_ARGUMENT, SQA_OUT_OF_MEMORY, SQA_OPENCL_ERROR. */
SQA_API sqa_status sqa_forward(sqa_plan *plan, cl_command_queue queue, const sqa_tensors *tensors,
                               cl_uint wait_count, const cl_event *wait_list, cl_event *event);

/* sqa_forward() with a plan that the context keeps for equal descriptors: the
 * first call with a descriptor plans and compiles, later ones only enqueue. */
SQA_API sqa_status sqa_attention_forward(sqa_context *context, cl_command_queue queue,
                                         const sqa_attention_desc *desc, const sqa_tensors *tensors,
                                         cl_uint wait_count, const cl_event *wait_list,
                                         cl_event *event);

#ifdef __cplusplus
}
#endif

#endif
