/* The context's inside: what every plan made from it shares. Immutable after
 * creation but for the two caches, which guard themselves. */
#ifndef SQA_RUNTIME_CONTEXT_H
#define SQA_RUNTIME_CONTEXT_H

#include "base/log.h"
#include "device/device.h"
#include "device/program_cache.h"
#include "runtime/plan_cache.h"
#include "runtime/shape_record.h"
#include "tuning/tuning_table.h"

struct sqa_context {
    cl_context cl; /* retained */
    sqa_device device;
    sqa_log log;
    sqa_tuning_table tuning;
    sqa_prebuilt *prebuilt; /* NULL: no folder of pre-built programs */
    sqa_program_cache *programs;
    sqa_plan_cache *plans;
    sqa_shape_record record; /* of what is planned */
};

#endif
