/* Appending to a cache for the tuner: cases, properties, presets. */
#ifndef SQA_TUNER_KV_APPEND_H
#define SQA_TUNER_KV_APPEND_H

#include "operations/tuner_operation.h"

extern const sqa_tuner_operation sqa_tuner_kv_append;

#endif
